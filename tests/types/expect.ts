/** Type-level assertions. A file of type tests holds if it compiles. */

/** Whether two types are the same, also in their modifiers. */
export type Equal<X, Y> = (<T>() => T extends X ? 1 : 2) extends (<T>() => T extends Y ? 1 : 2) ? true : false;

/** Compiles only with `true`. */
export type Expect<T extends true> = T;
