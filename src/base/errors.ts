/**
 * Every error that Sluice throws. Few classes, many stable codes; the codes live in one table, `error_table.ts`.
 *
 * @module
 */
import { type ErrorCode, type ErrorKind, ERRORS, SERVER_CODES, type ServerErrorCode } from "./error_table.ts";
import { VERSION } from "./version.ts";

const BRAND: unique symbol = Symbol.for("sluice.FlussError");
const DOCS = `https://jsr.io/@sluice/sluice/${VERSION}/docs/errors.md`;

/** What an error is made of; everything but `message` is optional, because the table knows the rest. */
export interface FlussErrorDetails {
  /** What happened, in one line, with names and values; no final period. */
  readonly message: string;
  /** The table concerned, as `database.table`. */
  readonly table?: string | undefined;
  /** The bucket concerned. */
  readonly bucket?: number | undefined;
  /** The partition concerned, by name. */
  readonly partition?: string | undefined;
  /** The column concerned, by its TypeScript key. */
  readonly column?: string | undefined;
  /** The row concerned: its place in the call's rows, or its key as text. */
  readonly row?: number | string | undefined;
  /** The next action, ready to be copied. Defaults to the table's own advice for the code. */
  readonly hint?: string | undefined;
  /** Overrides the table's word on whether trying again may help. */
  readonly retriable?: boolean | undefined;
  /** What caused this error. */
  readonly cause?: unknown;
}

/**
 * The base of all errors of Sluice.
 *
 * `code` is stable and documented in `docs/errors.md`; `message` is for people and may change.
 *
 * @example
 * ```ts
 * import { FlussError } from "sluice";
 *
 * function isMissingTable(error: unknown): boolean {
 *   return FlussError.is(error, "SERVER.TABLE_NOT_EXIST");
 * }
 * ```
 */
export class FlussError extends Error {
  /** The stable code, `NAMESPACE.REASON`. */
  readonly code: ErrorCode;
  /** True when the same call may succeed later without a change. */
  readonly retriable: boolean;
  /** The table concerned, as `database.table`. */
  declare readonly table?: string;
  /** The bucket concerned. */
  declare readonly bucket?: number;
  /** The partition concerned, by name. */
  declare readonly partition?: string;
  /** The column concerned, by its TypeScript key. */
  declare readonly column?: string;
  /** The row concerned: its place in the call's rows, or its key as text. */
  declare readonly row?: number | string;
  /** The next action, ready to be copied. */
  declare readonly hint?: string;

  /** Use {@linkcode flussError} or a subclass; the class is public so that it can be named in types and tested for. */
  constructor(code: ErrorCode, details: FlussErrorDetails) {
    const hint = details.hint ?? ERRORS[code].hint;
    const about = details.table === undefined ? code : `${code} ${details.table}`;
    super(
      // What servers say ends with a full stop of its own.
      `${about}: ${hint === undefined ? details.message : `${details.message.replace(/\.$/, "")}. hint: ${hint}`}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = new.target.name;
    this.code = code;
    this.retriable = details.retriable ?? ERRORS[code].retriable === true;
    if (hint !== undefined) this.hint = hint;
    for (const field of ["table", "bucket", "partition", "column", "row"] as const) {
      const value = details[field];
      if (value !== undefined) Object.defineProperty(this, field, { value, enumerable: true, configurable: true });
    }
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** The page that explains the code. */
  get docsUrl(): string {
    return `${DOCS}#${this.code.toLowerCase().replace(".", "")}`;
  }

  /**
   * Tells whether `error` is a Sluice error with the given code. Works across duplicate copies of the package,
   * where `instanceof` fails.
   *
   * @param error anything that was caught
   * @param code the code asked for; without it, any code will do
   */
  static is<const C extends ErrorCode = ErrorCode>(error: unknown, code?: C): error is FlussError & { code: C } {
    return typeof error === "object" && error !== null && BRAND in error &&
      (code === undefined || (error as unknown as FlussError).code === code);
  }
}

/** What an error says, without the code, the table and the hint around it: to say it again with more names. */
export function bareMessage({ code, table, hint, message }: FlussError): string {
  const start = `${table === undefined ? code : `${code} ${table}`}: `.length;
  const end = message.length - (hint === undefined ? 0 : `. hint: ${hint}`.length);
  return message.slice(start, end);
}

/** The caller's mistake: a wrong declaration, an unknown column, a forbidden operation. Thrown in the call. */
export class FlussUsageError extends FlussError {}

/** One complaint of a Standard Schema about one value. */
export interface ValidationIssue {
  /** What the schema said. */
  readonly message: string;
  /** Where in the row: column, then nested path. */
  readonly path: readonly PropertyKey[];
  /** The row's place in the call. */
  readonly row?: number;
}

/** A row that a column's `.check(schema)` refused. */
export class FlussValidationError extends FlussError {
  /** Every complaint. */
  readonly issues: readonly ValidationIssue[];

  /** Made by the library, with the complaints. */
  constructor(code: ErrorCode, details: FlussErrorDetails & { readonly issues?: readonly ValidationIssue[] }) {
    super(code, details);
    this.issues = details.issues ?? [];
  }
}

/** A value that a column cannot hold, or bytes that cannot be read. */
export class FlussCodecError extends FlussError {}

/** No connection, a lost one, or a refused one. */
export class FlussConnectionError extends FlussError {}

/** A deadline passed. */
export class FlussTimeoutError extends FlussError {}

/** The server said no. `serverCode` and `serverMessage` are its own words. */
export class FlussServerError extends FlussError {
  /** The wire error code, for example 7. */
  readonly serverCode: number;
  /** The server's message, empty when it sent none. */
  readonly serverMessage: string;

  /** Made by the library, with what the server said. */
  constructor(
    code: ErrorCode,
    details: FlussErrorDetails & { readonly serverCode?: number; readonly serverMessage?: string },
  ) {
    super(code, details);
    this.serverCode = details.serverCode ?? (ERRORS[code] as { serverCode?: number }).serverCode ?? -1;
    this.serverMessage = details.serverMessage ?? "";
  }
}

/** Rows of one batch that were not written. */
export interface WriteFailure {
  /** The table, as `database.table`. */
  readonly table: string;
  /** The code of `cause`. */
  readonly code: ErrorCode;
  /** How many rows of the batch had nobody waiting for their ack. */
  readonly rows: number;
  /** Why. */
  readonly cause: FlussError;
}

/** Writes that failed, or could not be queued. */
export class FlussWriteError extends FlussError {
  /** One entry per failed batch. */
  readonly failures: readonly WriteFailure[];

  /** Made by the library, with the failed batches. */
  constructor(code: ErrorCode, details: FlussErrorDetails & { readonly failures?: readonly WriteFailure[] }) {
    super(code, details);
    this.failures = details.failures ?? [];
  }
}

/** A subscription that cannot start or go on where it was told to. */
export class FlussSubscriptionError extends FlussError {
  /** The first offset that the bucket still has, where that was asked for. */
  declare readonly earliest?: bigint;

  /** Made by the library. */
  constructor(code: ErrorCode, details: FlussErrorDetails & { readonly earliest?: bigint }) {
    super(code, details);
    if (details.earliest !== undefined) {
      Object.defineProperty(this, "earliest", { value: details.earliest, enumerable: true, configurable: true });
    }
  }
}

/** The folder of a `file:` URL cannot be used, or no more be written. */
export class FlussStorageError extends FlussError {}

/** One thing that is wrong with migrations, a schema or a cluster. */
export interface MigrationProblem {
  /** What kind of problem it is, for programs: `dropColumn`, `checksum`, `heads`, ... */
  readonly kind: string;
  /** The migration concerned. */
  readonly migration?: string;
  /** The table concerned, as `database.table`. */
  readonly table?: string;
  /** The column concerned, by its name on the server. */
  readonly column?: string;
  /** What is wrong, in one line. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** Migrations that cannot be planned or applied. */
export class FlussMigrationError extends FlussError {
  /** Everything that is wrong, where it is more than the message says. */
  readonly problems: readonly MigrationProblem[];

  /** Made by the library, with the problems. */
  constructor(code: ErrorCode, details: FlussErrorDetails & { readonly problems?: readonly MigrationProblem[] }) {
    super(code, details);
    this.problems = details.problems ?? [];
  }
}

const CLASSES = {
  usage: FlussUsageError,
  validation: FlussValidationError,
  codec: FlussCodecError,
  connection: FlussConnectionError,
  timeout: FlussTimeoutError,
  server: FlussServerError,
  write: FlussWriteError,
  subscription: FlussSubscriptionError,
  storage: FlussStorageError,
  migration: FlussMigrationError,
} as const satisfies Record<ErrorKind, typeof FlussError>;

/** Makes the error that the table prescribes for `code`. */
export function flussError(code: ErrorCode, details: FlussErrorDetails): FlussError {
  return new CLASSES[ERRORS[code].kind](code, details);
}

/**
 * Makes the error for a wire error code. Codes that this version does not know become `SERVER.UNKNOWN_SERVER_ERROR`
 * and keep their number in `serverCode`.
 */
export function serverError(
  serverCode: number,
  serverMessage: string | undefined,
  details: Omit<FlussErrorDetails, "message"> & { readonly doing: string },
): FlussServerError {
  const code: ServerErrorCode = SERVER_CODES.get(serverCode) ?? "SERVER.UNKNOWN_SERVER_ERROR";
  const said = serverMessage === undefined || serverMessage === "" ? ERRORS[code].summary : firstLine(serverMessage);
  return new FlussServerError(code, {
    ...details,
    message: `${details.doing} failed: ${said}`,
    serverCode,
    serverMessage: serverMessage ?? "",
  });
}

/** Tells whether the client should ask for fresh metadata before it tries again. */
export function isStaleMetadata(error: unknown): boolean {
  return FlussError.is(error) && (ERRORS[error.code] as { staleMetadata?: boolean }).staleMetadata === true;
}

/** Code -1 carries a stack trace; its first line is what a person wants. `serverMessage` keeps the whole. */
function firstLine(text: string): string {
  const end = text.indexOf("\n");
  return (end < 0 ? text : text.slice(0, end)).trim();
}
