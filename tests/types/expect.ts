/** Type-level assertions. A file of type tests holds if it compiles. */
export type { Equal, Expect } from "../../src/testing/type_tests.ts";
