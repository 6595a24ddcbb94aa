/**
 * The version of this package.
 *
 * @module
 */

/** As in `deno.json` and `package.json`, which a test compares it with. */
export const VERSION = "0.1.0";
