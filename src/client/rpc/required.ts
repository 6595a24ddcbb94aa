/**
 * Reading and writing messages as strictly as Fluss does. Its parser refuses a message that lacks a required field;
 * protobuf-es only refuses to write one.
 *
 * @module
 */
import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  type MessageValidType,
  toBinary,
} from "@bufbuild/protobuf";
import { flussError } from "../../base/errors.ts";

/** What there is to look at in messages of one type. */
interface Plan {
  /** Properties of required fields. */
  readonly required: readonly string[];
  /** Properties that hold a message, or a list of messages, that may lack something. */
  readonly nested: readonly { readonly property: string; readonly list: boolean; readonly schema: DescMessage }[];
}

const plans = new WeakMap<DescMessage, Plan>();

/** `LEGACY_REQUIRED` of protobuf's FeatureSet.FieldPresence: what proto2's `required` is called nowadays. */
const REQUIRED = 3;

function plan(schema: DescMessage): Plan {
  let made = plans.get(schema);
  if (made === undefined) {
    made = {
      required: schema.fields.filter((field) => field.presence === REQUIRED).map((field) => field.localName),
      nested: schema.fields.flatMap((field) => {
        const message = messageOf(field);
        if (message === undefined || !asksForSomething(message, new Set())) return [];
        return [{ property: field.localName, list: field.fieldKind === "list", schema: message }];
      }),
    };
    plans.set(schema, made);
  }
  return made;
}

function messageOf(field: DescField): DescMessage | undefined {
  return field.fieldKind === "message" || field.fieldKind === "list" ? field.message : undefined;
}

/** Whether a message of this type can lack a required field, itself or further down. */
function asksForSomething(schema: DescMessage, seen: Set<DescMessage>): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  return schema.fields.some((field) => {
    if (field.presence === REQUIRED) return true;
    const message = messageOf(field);
    return message !== undefined && asksForSomething(message, seen);
  });
}

/**
 * The first required field that is not set, as a path such as `tablePath.databaseName` or `bucketsReq[2].bucketId`;
 * `undefined` when nothing is missing.
 */
export function findMissingField(schema: DescMessage, message: Message): string | undefined {
  const { required, nested } = plan(schema);
  const fields = message as unknown as Record<string, unknown>;
  for (let i = 0; i < required.length; i++) {
    const property = required[i] as string;
    if (fields[property] === undefined || !Object.hasOwn(fields, property)) return property;
  }
  for (let i = 0; i < nested.length; i++) {
    const { property, list, schema } = nested[i] as Plan["nested"][number];
    if (list) {
      const items = fields[property] as readonly Message[];
      for (let k = 0; k < items.length; k++) {
        const missing = findMissingField(schema, items[k] as Message);
        if (missing !== undefined) return `${property}[${k}].${missing}`;
      }
    } else if (fields[property] !== undefined) {
      const missing = findMissingField(schema, fields[property] as Message);
      if (missing !== undefined) return `${property}.${missing}`;
    }
  }
  return undefined;
}

// Fields of newer servers are of no use to us, and keeping them costs time.
const READ = { readUnknownFields: false };

/**
 * Reads a message. Byte fields are views of `bytes`, not copies.
 *
 * @param schema which message
 * @param bytes exactly one message, without frame
 * @returns the message, of a type in which required fields are there
 * @throws `CONNECTION.PROTOCOL` when the bytes are no such message, or a required field is missing
 */
export function readMessage<S extends DescMessage>(schema: S, bytes: Uint8Array): MessageValidType<S> {
  let message: MessageShape<S>;
  try {
    message = fromBinary(schema, bytes, READ);
  } catch (cause) {
    throw flussError("CONNECTION.PROTOCOL", {
      message: `${bytes.length} bytes are not a ${schema.name}: ${textOf(cause)}`,
      cause,
    });
  }
  const missing = findMissingField(schema, message);
  if (missing !== undefined) {
    throw flussError("CONNECTION.PROTOCOL", { message: `${schema.name} lacks the required field ${missing}` });
  }
  return message as unknown as MessageValidType<S>;
}

/**
 * Writes a message.
 *
 * @param schema which message
 * @param init its fields; a field that is `undefined` is not set
 * @returns the bytes, without frame
 * @throws `INTERNAL.MESSAGE` when a required field is missing or a value does not fit its field
 */
export function writeMessage<S extends DescMessage>(schema: S, init: MessageInitShape<S>): Uint8Array<ArrayBuffer> {
  let message: MessageShape<S> | undefined;
  try {
    message = create(schema, init);
    return toBinary(schema, message);
  } catch (cause) {
    // Looked for only now, so that a good message is not walked twice.
    const missing = message === undefined ? undefined : findMissingField(schema, message);
    throw flussError("INTERNAL.MESSAGE", {
      message: missing === undefined
        ? `${schema.name} cannot be written: ${textOf(cause)}`
        : `${schema.name} cannot be written without the required field ${missing}`,
      cause,
    });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Tells whether an optional field was sent. A field that was not reads as its zero value (0, `0n`, `""`, no bytes), which
 * for many fields means something else than being absent: a bucket's leader, a partition, the value of a key.
 */
export function isSet<M extends Message>(message: M, field: Exclude<keyof M, keyof Message> & string): boolean {
  return Object.hasOwn(message, field) && message[field] !== undefined;
}

/** The value of an optional field, `undefined` when it was not sent. */
export function optionalField<M extends Message, K extends Exclude<keyof M, keyof Message> & string>(
  message: M,
  field: K,
): M[K] | undefined {
  return isSet(message, field) ? message[field] : undefined;
}
