/**
 * `sluice completion`: what makes shells complete the names of commands and options.
 *
 * @module
 */
import { badUsage } from "./data/values.ts";
import type { CliCommand } from "./command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** The command, for a table of commands. */
export function completionOf(commands: readonly CliCommand[]): CliCommand {
  const completion: CliCommand = {
    name: "completion",
    summary: "print what makes a shell complete commands and options",
    about: "Prints a script for a shell, which then completes the names of commands and options, and those of files.",
    words: [{ syntax: "<shell>", text: SHELLS.join(", ") }],
    options: [],
    examples: [
      "completion bash >> ~/.bashrc",
      "completion zsh > ~/.zfunc/_sluice",
      "completion fish > ~/.config/fish/completions/sluice.fish",
    ],
    exits: [],
    async run(_values, io, [shell]) {
      const all = [...commands, completion];
      switch (shell) {
        case "bash":
          return await io.write(bash(all));
        case "zsh":
          return await io.write(zsh(all));
        case "fish":
          return await io.write(fish(all));
        default:
          throw badUsage(
            `there is no completion for ${JSON.stringify(shell)}`,
            `there is one for ${SHELLS.join(", ")}`,
          );
      }
    },
  };
  return completion;
}

/** The long names of a command's options. */
function flagsOf({ options }: CliCommand): string[] {
  return [...options.map(({ flags }) => flags.split(" ")[0]!), "--json", "--debug", "--help"];
}

function bash(commands: readonly CliCommand[]): string {
  const cases = commands.map((command) => `      ${command.name}) words="${flagsOf(command).join(" ")}" ;;`);
  return `# bash completion for sluice
_sluice() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(" ")} --help --version"
  else
    case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _sluice sluice
`;
}

function zsh(commands: readonly CliCommand[]): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\\\''")}'`;
  const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  const cases = commands.map((command) => `    ${command.name}) compadd -- ${flagsOf(command).join(" ")}; _files ;;`);
  return `#compdef sluice
_sluice() {
  local -a commands
  commands=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "$words[2]" in
${cases.join("\n")}
  esac
}
# As a file that is found by its name this is the function itself; read into a shell, it tells of one.
if [ "$funcstack[1]" = "_sluice" ]; then
  _sluice "$@"
else
  compdef _sluice sluice
fi
`;
}

function fish(commands: readonly CliCommand[]): string {
  const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap((command) => {
    const { name, summary, options } = command;
    const seen = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c sluice -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
      ...options.map(({ flags, text }) =>
        `complete -c sluice ${seen} -l ${flags.split(" ")[0]!.slice(2)}${flags.includes("<") ? " -r" : ""} -d ${
          quoted(text.split(/[;:]/)[0]!)
        }`
      ),
      ...["json", "debug", "help"].map((flag) => `complete -c sluice ${seen} -l ${flag}`),
    ];
  });
  return `# fish completion for sluice\n${lines.join("\n")}\n`;
}
