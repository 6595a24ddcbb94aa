/**
 * The command line as one binary. It brings what configs, schemas and data steps import, so that these need no package
 * beside them, and there is one copy of it.
 *
 * @module
 */

/** What Bun lets a program add to its modules. */
interface Modules {
  module(name: string, load: () => Promise<{ readonly exports: object; readonly loader: "object" }>): void;
}

const { Bun } = globalThis as unknown as {
  Bun: { plugin(plugin: { readonly name: string; setup(modules: Modules): void }): void };
};

Bun.plugin({
  name: "sluice",
  setup(modules) {
    const provide = (name: string, load: () => Promise<object>) =>
      modules.module(name, async () => ({ exports: await load(), loader: "object" }));
    provide("sluice", () => import("../../mod.ts"));
    provide("sluice/schema", () => import("../../src/schema/mod.ts"));
    provide("sluice/migrate", () => import("../../src/migrate/mod.ts"));
  },
});

await import("../../src/cli/main.ts");
