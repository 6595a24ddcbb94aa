/**
 * What a scaffold writes where only a person knows what to do.
 *
 * @module
 */

/** Data steps with it are refused. In two pieces, so that this file is not one of them. */
export const TODO_MARK: string = ["TODO", "(sluice)"].join("");

/** The table that holds the rows of another one while that is made anew. */
export function besideOf(table: string): string {
  return `${table}__rebuild`;
}
