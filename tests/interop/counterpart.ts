/**
 * The official clients as processes that take commands; see `protocol.ts`.
 *
 * They are fetched at first use into the user's cache folder. What is not on this machine (a JDK, Maven, Python, a
 * network for the first use) is a reason to skip and no failure.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Language } from "./kinds.ts";
import type { Command } from "./protocol.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const COMMAND_TIMEOUT_MS = 30_000;
/** Fetching 70 MB of jars or wheels on a slow line. */
const FETCH_TIMEOUT_MS = 300_000;
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
/** How much of a counterpart's error output is shown when it ends. */
const ERROR_TAIL = 2000;

/** Thrown where a counterpart cannot be had on this machine. */
class Absent extends Error {}

/** A counterpart that was started, or the reason why there is none. */
export type Start = { readonly counterpart: Counterpart } | { readonly absent: string };

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** A running counterpart. Commands may overlap, and their answers come in any order. */
export class Counterpart {
  readonly language: Language;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<string>;
  #lastId = 0;
  #errors = "";

  constructor(language: Language, child: ChildProcess) {
    this.language = language;
    this.#child = child;
    child.stdin!.on("error", () => {/* the end of the process tells more */});
    let rest = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#answered(line);
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERROR_TAIL);
    });
    this.#ended = new Promise((resolve) => {
      child.on("error", (error) => resolve(error.message));
      child.on("close", (code, signal) => resolve(`exit code ${code ?? signal}`));
    });
    this.#ended.then((how) => this.#failAll(new Error(`the ${language} counterpart ended: ${how}\n${this.#errors}`)));
  }

  /** Sends a command and resolves to its answer; what the counterpart says went wrong is thrown. */
  call<T>(command: Command, timeoutMs: number = COMMAND_TIMEOUT_MS): Promise<T> {
    const id = ++this.#lastId;
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`the ${this.language} counterpart did not answer "${command.op}" in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#child.stdin!.write(`${JSON.stringify({ id, ...command })}\n`);
    }) as Promise<T>;
  }

  /** Tells the process to end, makes it end if it does not, and resolves to how it ended. */
  async close(): Promise<string> {
    if (this.#child.stdin!.writable) this.#child.stdin!.end('{"op":"quit"}\n');
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    const how = await this.#ended;
    clearTimeout(timer);
    return how;
  }

  #answered(line: string): void {
    const { id, ok, error } = JSON.parse(line) as { id: number; ok?: unknown; error?: string };
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve(ok);
    else waiting.reject(new Error(`${this.language}: ${error}`));
  }

  #failAll(error: Error): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
  }
}

/** Who logs in. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Starts a counterpart that talks to the cluster at `bootstrap`, with a login where that asks for one. */
export async function start(language: Language, bootstrap: string, login?: Login): Promise<Start> {
  try {
    const [program, ...args] = await (language === "java" ? java() : python());
    const credentials = login === undefined ? [] : [login.username, login.password];
    const child = spawn(program!, [...args, bootstrap, ...credentials], { stdio: ["pipe", "pipe", "pipe"] });
    const counterpart = new Counterpart(language, child);
    try {
      await counterpart.call<string>({ op: "hello" }, START_TIMEOUT_MS);
    } catch (error) {
      await counterpart.close();
      throw error;
    }
    return { counterpart };
  } catch (error) {
    if (error instanceof Absent) return { absent: error.message };
    throw error;
  }
}

/** The command line of the Java counterpart, with the jars fetched and the classes compiled. */
async function java(): Promise<string[]> {
  const folder = join(HERE, "java");
  const pom = join(folder, "pom.xml");
  const sources = ["Counterpart.java", "Values.java"].map((name) => join(folder, name));
  for (const program of ["java", "javac", "mvn"]) await findProgram(program);
  const jars = await cached("java-jars", [pom], async (target) => {
    await fetchWith("mvn", ["-q", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${target}`]);
  });
  const classes = await cached("java-classes", [pom, ...sources], async (target) => {
    await run("javac", ["--release", "11", "-cp", join(jars, "*"), "-d", target, ...sources]);
  });
  const classPath = [classes, join(jars, "*")].join(delimiter);
  // Fluss's Arrow needs that package opened. A short life is no time for a second compiler.
  return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "--add-opens=java.base/java.nio=ALL-UNNAMED"]
    .concat("-cp", classPath, "Counterpart");
}

/** The command line of the Python counterpart. */
async function python(): Promise<string[]> {
  return [await pythonInterpreter(), "-u", "-X", "utf8", join(HERE, "python", "counterpart.py")];
}

/** A Python with the packages that the tests need, its environment made. */
async function pythonInterpreter(): Promise<string> {
  await findProgram("python3");
  const requirements = join(HERE, "python", "requirements.txt");
  const environment = await cached("python", [requirements], async (target) => {
    await fetchWith("python3", ["-m", "venv", target]);
    await fetchWith(interpreter(target), ["-m", "pip", "-q", "install", "-r", requirements]);
  });
  return interpreter(environment);
}

/** A script of the folder `python`, to be run with pyarrow and pyfluss, or the reason why it cannot be. */
export async function pythonScript(name: string): Promise<readonly string[] | { readonly absent: string }> {
  try {
    return [await pythonInterpreter(), "-u", "-X", "utf8", join(HERE, "python", name)];
  } catch (error) {
    if (error instanceof Absent) return { absent: error.message };
    throw error;
  }
}

function interpreter(environment: string): string {
  return process.platform === "win32" ? join(environment, "Scripts", "python.exe") : join(environment, "bin", "python");
}

/** A folder of the cache, made by `make` when it is not there or when the inputs have changed. */
async function cached(
  name: string,
  inputs: readonly string[],
  make: (target: string) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(await readFile(input));
  const root = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "sluice", "interop");
  const target = join(root, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (await exists(target)) return target;
  // Made aside and renamed when complete: suites of three runtimes may do this at the same time.
  const aside = `${target}.${process.pid}`;
  await mkdir(aside, { recursive: true });
  try {
    await make(aside);
    await rename(aside, target);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (!await exists(target)) throw error;
  }
  return target;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false);
}

async function findProgram(name: string): Promise<void> {
  const endings = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const ending of endings) if (await exists(join(folder, name + ending))) return;
  }
  throw new Absent(`${name} is not on this machine's PATH`);
}

/** Runs a program that needs the network; its failure is the absence of a counterpart. */
async function fetchWith(program: string, args: readonly string[]): Promise<void> {
  try {
    await run(program, args);
  } catch (error) {
    throw new Absent(`the official client could not be fetched: ${(error as Error).message}`);
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, [...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8").on("data", (text: string) => said = (said + text).slice(-ERROR_TAIL));
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), FETCH_TIMEOUT_MS);
  const how = await new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(code === 0 ? "" : `exit code ${code ?? signal}`));
  });
  clearTimeout(timer);
  if (how !== "") throw new Error(`${program} ${args.slice(0, 3).join(" ")} failed: ${how}; ${said.trim()}`);
}
