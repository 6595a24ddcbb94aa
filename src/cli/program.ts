/**
 * From the words of a command line to the command that they name, and to an exit code.
 *
 * @module
 */
import { Command, CommanderError, Option } from "commander";
import { type FlussError, flussError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import { type CliCommand, EXIT, type Io, ReaderGone, type Values } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { reportError } from "./report.ts";
import { plainText } from "./text.ts";

const ABOUT = "Sluice: Apache Fluss from the command line.";

const EXITS = "Exit codes: 0 done, 1 a bug, 2 wrong arguments, 3 declined; from 4 on those of\n" +
  "the command. Data goes to standard output, everything else to standard error.\n" +
  "--json makes the data one JSON object.";

/**
 * Runs a command line to its end.
 *
 * @param args the words behind the program's name
 * @returns the exit code; errors are told on the way, and never thrown
 */
export async function run(
  args: readonly string[],
  io: Io,
  commands: readonly CliCommand[] = COMMANDS,
): Promise<number> {
  let current: CliCommand | undefined;
  let code: number = EXIT.ok;
  const program = new Command("sluice")
    .description(ABOUT)
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this")
    .usage("<command> [options]")
    // What follows a command stands in its own help.
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText("after", `\n${EXITS}`)
    // Errors are told by us.
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text), outputError: () => {} })
    .exitOverride();
  for (const command of commands) {
    const added = program.command(command.name)
      .summary(command.summary)
      .description(command.about)
      .helpOption("-h, --help", "print this")
      .action(async (...given: unknown[]) => {
        current = command;
        // The words, those that repeat as a list of their own; then the options, and the parser itself.
        const words = given.slice(0, -2).flat().filter((word) => word !== undefined) as string[];
        code = await command.run(given.at(-2) as Values, io, words) ?? EXIT.ok;
      });
    for (const { syntax, text } of command.words ?? []) added.argument(syntax, text);
    for (const option of optionsOf(command)) added.addOption(option);
    added.addHelpText("after", helpBehind(command));
  }
  program.helpCommand("help [command]", "print the help of a command");
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return EXIT.usage;
    }
    const [first, topic] = args;
    if (
      first === "help" && topic !== undefined && !topic.startsWith("-") && !commands.some(({ name }) => name === topic)
    ) {
      throw flussError("CLI.BAD_USAGE", {
        message: `there is no command ${JSON.stringify(topic)}`,
        hint: "see sluice --help",
      });
    }
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.ok;
    // Help and the version come this way too, and help that was asked for in vain.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === "commander.help") return EXIT.usage;
    const told = error instanceof CommanderError ? usageError(error, args) : error;
    return reportError(told, current, { json: args.includes("--json"), debug: args.includes("--debug") }, io);
  }
}

function optionsOf(command: CliCommand): Option[] {
  const own = command.options.map(({ flags, text, default: standard, repeats }) => {
    const option = new Option(flags, text);
    if (standard !== undefined) option.default(standard, standard);
    // The first value comes without any before it.
    if (repeats) option.argParser((value, before: readonly string[] | undefined) => [...before ?? [], value]);
    else if (option.required) option.argParser(once(option));
    return option;
  });
  return [
    ...own,
    new Option("--json", "print one JSON object instead of text"),
    new Option("--debug", "show where an error comes from"),
  ];
}

/** Takes a value, and refuses another one: the last of them would win without a word. */
function once({ long }: Option): (value: string) => string {
  let given = false;
  return (value) => {
    if (given) throw flussError("CLI.BAD_USAGE", { message: `${long} is given twice`, hint: "leave out one of them" });
    given = true;
    return value;
  };
}

function helpBehind({ examples, exits }: CliCommand): string {
  const lines = ["", "Examples:", ...examples.map((example) => `  sluice ${example}`)];
  if (exits.length > 0) {
    lines.push("", "Exit codes:", "  0 done", "  1 a bug", "  2 wrong arguments");
    lines.push(...exits.map(({ code, text }) => `  ${code} ${text}`));
  }
  return lines.join("\n");
}

/**
 * What the parser has to say, in our words. It shows what was typed, and a password may be in that: only names of
 * options and commands are said again.
 */
function usageError(error: CommanderError, args: readonly string[]): FlussError {
  const [said, suggestion] = error.message.replace(/^error: /, "").split("\n");
  const similar = /\(Did you mean (?:one of )?(.*)\?\)/.exec(suggestion ?? "")?.[1];
  const message = messageOf(error.code, said!);
  const command = COMMANDS.find(({ name }) => name === args[0]);
  const help = `sluice ${command === undefined ? "" : `${command.name} `}--help`;
  const hint = similar === undefined ? `see ${help}` : `did you mean ${similar}? See ${help}`;
  return flussError("CLI.BAD_USAGE", { message: plainText(message), hint });
}

function messageOf(code: string, said: string): string {
  switch (code) {
    case "commander.excessArguments":
      return said.replace(/: [^]*$/, "");
    case "commander.unknownOption":
      return said.replace(/=[^]*$/, "'");
    case "commander.unknownCommand":
      return /^unknown command '[\w-]+'$/.test(said) ? said : "what was given is no command";
    default:
      return said;
  }
}
