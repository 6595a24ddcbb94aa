/**
 * How a command ends: its exit code, and what is said of an error.
 *
 * @module
 */
import { bareMessage, FlussError, FlussUsageError, type MigrationProblem } from "../base/errors.ts";
import type { ErrorCode } from "../base/error_table.ts";
import { type CliCommand, EXIT, type Io } from "./command.ts";
import { plainText } from "./text.ts";

/** How errors are told. */
export interface ReportOptions {
  /** As an envelope on standard output, instead of a line on standard error. */
  readonly json: boolean;
  /** With the stack. */
  readonly debug: boolean;
}

/** An error that stands in the output already, at the end of an envelope that had begun. */
export class ToldError extends Error {}

/** Tells an error; the exit code comes back. */
export function reportError(thrown: unknown, command: CliCommand | undefined, options: ReportOptions, io: Io): number {
  if (thrown instanceof ToldError) return reportError(thrown.cause, command, options, { ...io, out: () => {} });
  const error = thrown;
  const code = exitCode(error, command);
  if (options.json) {
    const json = JSON.stringify({ ok: false, error: envelopeOf(error) });
    io.out(`${io.screen.out ? plainText(json) : json}\n`);
  } else {
    io.err(`${plainText(lineOf(error))}\n`);
    const problems = problemsOf(error);
    // One is what the line above says.
    for (const { message, hint } of problems.length > 1 ? problems : []) {
      io.err(`  ${plainText(hint === undefined ? message : `${message}. hint: ${hint}`)}\n`);
    }
  }
  if (options.debug && error instanceof Error) io.err(`${(error.stack ?? "").split("\n").map(plainText).join("\n")}\n`);
  return code;
}

function exitCode(error: unknown, command: CliCommand | undefined): number {
  if (!FlussError.is(error)) return EXIT.bug;
  // What is wrong with a URL is wrong with the call, for commands with an exit code for connections too.
  if (error.code.startsWith("CONNECTION.BAD_")) return EXIT.usage;
  const exit = command?.exits.find(({ errors }) => errors !== undefined && error.code.startsWith(errors));
  if (exit !== undefined) return exit.code;
  return error instanceof FlussUsageError ? EXIT.usage : EXIT.bug;
}

/** What to do next, where the error tells it in words of the API. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  "SERVER.DATABASE_NOT_EXIST": "see sluice ls",
  "SERVER.TABLE_NOT_EXIST": "see sluice ls DATABASE",
  "SERVER.AUTHENTICATE_EXCEPTION": "check --username and SLUICE_PASSWORD",
  "CONNECTION.AUTH_FAILED": "give --username, and the password in SLUICE_PASSWORD",
  "SCHEMA.NAME": "write database.table, or add --database",
};

function hintOf(error: FlussError): string | undefined {
  return HINTS[error.code] ?? error.hint;
}

function lineOf(error: unknown): string {
  if (FlussError.is(error)) {
    const hint = hintOf(error);
    const said = error.hint === undefined ? error.message : error.message.replace(`. hint: ${error.hint}`, "");
    return hint === undefined ? said : `${said}. hint: ${hint}`;
  }
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `a bug of Sluice, not of yours: ${said}. hint: say it again with --debug, and report what it shows`;
}

function problemsOf(error: unknown): readonly MigrationProblem[] {
  return FlussError.is(error) && "problems" in error ? error.problems as readonly MigrationProblem[] : [];
}

/** An error in an envelope. */
export interface ErrorEnvelope {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly docs?: string;
  /** Everything that is wrong with migrations. */
  readonly problems?: readonly MigrationProblem[];
}

/** An error as `--json` tells it. */
export function envelopeOf(error: unknown): ErrorEnvelope {
  if (!FlussError.is(error)) return { code: "BUG", message: lineOf(error) };
  const problems = problemsOf(error);
  return {
    code: error.code,
    message: bareMessage(error),
    ...(hintOf(error) === undefined ? {} : { hint: hintOf(error)! }),
    docs: error.docsUrl,
    ...(problems.length === 0 ? {} : { problems }),
  };
}
