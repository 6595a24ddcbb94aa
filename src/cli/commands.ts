/**
 * The table of commands. To add one, write it in a file of its own and name it here.
 *
 * @module
 */
import type { CliCommand } from "./command.ts";
import { dev } from "./dev.ts";

/** Every command, in the order of the help. */
export const COMMANDS: readonly CliCommand[] = [dev];
