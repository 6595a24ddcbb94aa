/**
 * Standard Schema and Standard JSON Schema: the two small interfaces that validators and the tools that take them agree
 * on (https://standardschema.dev). Written here, so that Sluice needs no package for them.
 *
 * @module
 */

/** A validator that any tool can use. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** The interface's only member. */
  readonly "~standard": StandardSchemaProps<Input, Output>;
}

/** The member of {@linkcode StandardSchemaV1}. */
export interface StandardSchemaProps<Input = unknown, Output = Input> extends StandardTypes<Input, Output> {
  /** Validates a value. */
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
}

/** What both interfaces have in common. */
export interface StandardTypes<Input = unknown, Output = Input> {
  /** The version of the interface. */
  readonly version: 1;
  /** Who made the schema: `valibot`, `sluice`. */
  readonly vendor: string;
  /** Types alone; there is no value here. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}

/** What validation answers: a value, or issues. */
export type StandardResult<Output> = StandardSuccess<Output> | StandardFailure;

/** The value is fine. */
export interface StandardSuccess<Output> {
  /** The value. */
  readonly value: Output;
  /** There are none. */
  readonly issues?: undefined;
}

/** The value is not fine. */
export interface StandardFailure {
  /** What is wrong, at least one. */
  readonly issues: readonly StandardIssue[];
}

/** One complaint. */
export interface StandardIssue {
  /** What is wrong, for people. */
  readonly message: string;
  /** Where in the value: keys from the outside in. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A schema that can describe itself as JSON Schema. */
export interface StandardJSONSchemaV1<Input = unknown, Output = Input> {
  /** The interface's only member. */
  readonly "~standard": StandardJSONSchemaProps<Input, Output>;
}

/** The member of {@linkcode StandardJSONSchemaV1}. */
export interface StandardJSONSchemaProps<Input = unknown, Output = Input> extends StandardTypes<Input, Output> {
  /** The JSON Schema of what goes in and of what comes out. */
  readonly jsonSchema: {
    readonly input: (options: JsonSchemaOptions) => Record<string, unknown>;
    readonly output: (options: JsonSchemaOptions) => Record<string, unknown>;
  };
}

/** What is asked of a JSON Schema. */
export interface JsonSchemaOptions {
  /** The dialect: `draft-2020-12`, `draft-07`, ... */
  readonly target: string;
}

/** A table's schema of one kind of row: Standard Schema and Standard JSON Schema in one. */
export interface TableSchemaV1<Value> {
  /** The members of both interfaces. */
  readonly "~standard": StandardSchemaProps<Value, Value> & StandardJSONSchemaProps<Value, Value>;
}
