/**
 * Where a server inside the process is.
 *
 * @module
 */

/** In memory, private to the connection or shared by name, or in a folder. */
export type EmbeddedPlace =
  | { readonly kind: "memory"; readonly name: string | undefined }
  | { readonly kind: "file"; readonly folder: string };
