/**
 * `deno task demo [URL]`: takes the tour, in memory unless told where.
 *
 * @module
 */
import process from "node:process";
import { tour } from "../examples/tour.ts";
import { FlussError, FlussUsageError } from "../mod.ts";
import { redactUrl } from "../src/query/url.ts";

const [url = "memory:", ...rest] = process.argv.slice(2);

if (rest.length > 0 || url.startsWith("-")) {
  console.error("Usage: deno task demo [URL]     memory: unless told, or file:./data, or fluss://host:port");
  process.exit(2);
}
try {
  await tour(url, (line) => console.log(`- ${line}`));
  console.log(
    `\nThat was examples/tour.ts at ${redactUrl(url)}. To move it elsewhere, change the URL and nothing else:`,
  );
  console.log("  deno task demo file:./data                  everything in a folder");
  console.log("  deno task demo fluss://127.0.0.1:9123       after `deno task sluice dev`, a server on a port");
  console.log("                                              or after `deno task cluster --port 9123`, a real cluster");
} catch (error) {
  if (!FlussError.is(error)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof FlussUsageError ? 2 : 1;
}
