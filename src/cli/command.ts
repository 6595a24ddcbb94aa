/**
 * What a command of the command line is made of, and what it may use of its process.
 *
 * @module
 */

/** A signal that asks a program to end. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** The process of a command. Tests bring their own. */
export interface Io {
  /** The environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes to standard output: data, for programs as much as for people. */
  out(text: string): void;
  /** Writes to standard error: what only people read. */
  err(text: string): void;
  /** Calls `listener` at every signal that asks to end, which then ends nothing by itself. The answer takes it back. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
  /** What reads the output. */
  readonly screen: Screen;
  /**
   * As `out`, for what may be long: resolves when there is room for more.
   *
   * @throws ReaderGone when nobody reads it any more
   */
  write(data: string | Uint8Array): Promise<void>;
  /** Standard input, in pieces as they come; the signal lets go of it. */
  input(signal?: AbortSignal): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Whether people read the output, and how wide it may be. */
export interface Screen {
  /** Standard input is a terminal. */
  readonly in: boolean;
  /** Standard output is a terminal. */
  readonly out: boolean;
  /** Standard error is a terminal. */
  readonly err: boolean;
  /** Characters of a line. */
  readonly columns: number;
  /** Lines. */
  readonly rows: number;
}

/** Whoever read the output left, as `head` does. A reason to end, and not to fail. */
export class ReaderGone extends Error {}

/** A word behind the name of a command. */
export interface CommandWord {
  /** `<table>` must be there, `[table]` may, `[column=value...]` may be there more than once. */
  readonly syntax: string;
  /** For the help. */
  readonly text: string;
}

/** An option of a command. */
export interface CommandOption {
  /** As in `--port <number>`; without a value in angle brackets it is on or off. */
  readonly flags: string;
  /** For the help. */
  readonly text: string;
  /** What it is when nothing is said. */
  readonly default?: string;
  /** It may be given more than once; its value is a list. */
  readonly repeats?: true;
}

/** A way in which a command ends that is neither success, nor bug, nor bad invocation. */
export interface Exit {
  /** From 4. */
  readonly code: number;
  /** What the codes of its errors begin with; absent where it is no error that ends it so. */
  readonly errors?: string;
  /** For the help. */
  readonly text: string;
}

/** The values of a command's options, by their names in camel case. */
export type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** A command. All of them have `--json`, `--debug` and `--help`. */
export interface CliCommand {
  /** What is typed. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What to know, for the command's own help. */
  readonly about: string;
  /** The words behind its name, in their order. Default: none. */
  readonly words?: readonly CommandWord[];
  readonly options: readonly CommandOption[];
  /** Lines that work as they are, without the program's name. */
  readonly examples: readonly string[];
  readonly exits: readonly Exit[];
  /**
   * Does it. What it throws becomes one line and an exit code.
   *
   * @param words those behind its name
   * @returns one of its exit codes, where it is another than 0
   */
  run(values: Values, io: Io, words: readonly string[]): Promise<number | void>;
}

/** The exit codes that all commands have; those from 4 are each command's own. */
export const EXIT = { ok: 0, bug: 1, usage: 2 } as const;
