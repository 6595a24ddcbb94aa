/**
 * The servers' processes: started, ended, and never left behind.
 *
 * Every server has a file with its process id in the cluster's folder. Whoever starts a cluster also starts a watchdog
 * (watchdog.ts), which holds the other end of a pipe; when the starter is gone, for whatever reason, the pipe ends, and the
 * watchdog ends the servers and removes the folder.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const FOLDER_PREFIX = "sluice-cluster-";
const OWNER_FILE = "owner";
const PID_SUFFIX = ".pid";

/** A server that was started. */
export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** How it ended, once it has. */
  ended: string | undefined;
  /** Resolves when the process is gone. Only who waits is kept alive by it: a program may end while its servers run. */
  gone(): Promise<void>;
}

function logOf(directory: string, name: string): string {
  return join(directory, "log", `${name}.log`);
}

/** Starts a server with its output in the cluster's folder, no input, and a process group of its own. */
export function startServer(
  directory: string,
  name: string,
  program: string,
  args: readonly string[],
): ServerProcess {
  const log = logOf(directory, name);
  const output = openSync(log, "a");
  const child = spawn(program, [...args], {
    cwd: directory,
    stdio: ["ignore", output, output],
    // Ctrl-C goes to a terminal's whole group; the servers are ended by who started them.
    detached: true,
    windowsHide: true,
  });
  closeSync(output);
  const pidFile = join(directory, `${name}${PID_SUFFIX}`);
  const gone = new Promise<void>((resolve) => {
    const end = (how: string) => {
      server.ended ??= how;
      rmSync(pidFile, { force: true });
      resolve();
    };
    child.once("error", (error) => end(`did not start: ${error.message}`));
    child.once(
      "exit",
      (code, signal) =>
        end(
          signal === null ? `ended with exit code ${code}` : `ended by ${signal}`,
        ),
    );
  });
  const server: ServerProcess = {
    name,
    pid: child.pid ?? -1,
    log,
    ended: undefined,
    gone() {
      child.ref();
      return gone;
    },
  };
  if (child.pid !== undefined) writeFileSync(pidFile, String(child.pid));
  child.unref();
  return server;
}

/** The last lines of a server's log, for an error message. */
export function lastLines(log: string, count: number = 20): string {
  try {
    return readFileSync(log, "utf8").trimEnd().split("\n").slice(-count).join(
      "\n",
    );
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

/** The command line of a process, or nothing where it cannot be read. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return spawnSync("ps", ["-o", "args=", "-p", String(pid)], {
      encoding: "utf8",
    }).stdout ?? "";
  }
}

/** Ends what still runs of a cluster, and removes its folder. Another process that got an old id is left alone. */
export function endServers(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    if (!name.endsWith(PID_SUFFIX)) continue;
    const pid = Number(readFileSync(join(directory, name), "utf8"));
    if (pid > 0 && isAlive(pid) && commandLine(pid).includes(directory)) {
      process.kill(pid, "SIGKILL");
    }
  }
  rmSync(directory, {
    recursive: true,
    force: true,
    maxRetries: 20,
    retryDelay: 100,
  });
}

/** Ends clusters whose starter and watchdog are both gone, as after a crash of the machine. */
export function endStaleClusters(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const directory = join(tmpdir(), name);
    try {
      if (!isAlive(Number(readFileSync(join(directory, OWNER_FILE), "utf8")))) {
        endServers(directory);
      }
    } catch {
      // Another user's, or one that is being made or removed right now.
    }
  }
}

/** A new folder for a cluster, marked as owned by this process. */
export function makeFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
  writeFileSync(join(directory, OWNER_FILE), String(process.pid));
  return directory;
}

/** Starts the process that cleans up after us; ends it by `release()`, after which it finds nothing to do. */
export function startWatchdog(directory: string): { release(): Promise<void> } {
  const script = fileURLToPath(new URL("watchdog.ts", import.meta.url));
  const options = "deno" in process.versions ? ["run", "--no-config", "--no-check", "-A"] : [];
  const child: ChildProcess = spawn(process.execPath, [
    ...options,
    script,
    directory,
  ], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    windowsHide: true,
  });
  const gone = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  // A watchdog that was itself killed must not take us down at release().
  child.stdin!.on("error", () => {});
  child.unref();
  return {
    release() {
      child.ref();
      child.stdin!.end();
      return gone;
    },
  };
}
