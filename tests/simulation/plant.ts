// Plants each mutant in a copy of the sources and prints after how many programs the simulation
// finds it: `deno task simulate:mutants`. Arguments choose mutants by a piece of their text, `--clients`
// those that programs of clients must find, and `--recipes` those of the runner.
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Mutant, MUTANTS } from "./mutants.ts";
import { DETAIL_MUTANTS } from "./mutants_of_details.ts";
import { RUNNER_MUTANTS } from "./recipes/mutants.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What the simulation runs. */
const SOURCES = [
  ...["client", "dev", "protocol", "runner", "runtime", "testing", "mod.ts"],
  ...["tests/helpers", "tests/report", "tests/runner", "tests/simulation"],
  ...["deno.json", "package.json"],
];

/** After how many seconds of processor time without the end of a program the process counts as hung. */
const PATIENCE = 30;

/** How many milliseconds pass between two looks at the process. */
const INTERVAL = 5_000;

/** The outcome of the search for a mutant. */
export interface Hunt {
  /** How many programs ran. */
  readonly ran: number;
  /** What the last program contradicts; absent if no program contradicts anything. */
  readonly violation?: string;
}

/** The programs that look for a mutant. */
type Kind = "clients" | "recipes";

const kindOf = (mutant?: Mutant): Kind => mutant?.isRunner ? "recipes" : "clients";

/** Runs programs on sources with a mutant; without one, on the sources as they are. */
export async function hunt(
  mutant: Mutant | undefined,
  seed: number,
  programs: number,
  kind: Kind = kindOf(mutant),
): Promise<Hunt> {
  const copy = await mkdtemp(join(tmpdir(), "dispatch-mutant-"));
  try {
    for (const path of SOURCES) await cp(join(ROOT, path), join(copy, path), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
    if (mutant) {
      const file = join(copy, mutant.file);
      await writeFile(file, applyEdits(mutant, await readFile(file, "utf8")));
    }
    return await run(join(copy, "tests/simulation/find_first.ts"), seed, programs, kind);
  } finally {
    await rm(copy, { recursive: true });
  }
}

/**
 * Returns the source with the mutant.
 * @throws {Error} If the text to find is not there exactly once.
 */
export function applyEdits({ what, file, edits }: Mutant, source: string): string {
  for (const [find, replacement] of edits) {
    const parts = source.split(find);
    if (parts.length !== 2) {
      throw new Error(`Cannot plant '${what}': ${file} has ${parts.length - 1} times ${find}`);
    }
    source = parts.join(replacement);
  }
  return source;
}

/**
 * Runs programs in a process of its own: a mutant may run for ever without a pause, or use up the
 * memory. Either counts as found, if it happens while a program runs.
 */
function run(file: string, seed: number, programs: number, kind: Kind): Promise<Hunt> {
  const args = [file, String(seed), String(programs), kind];
  if ("Deno" in globalThis) args.unshift("run", "-A", "--no-check", "--no-lock");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let last: { ran: number } & Partial<Hunt> | undefined;
    let errors = "";
    let isHung = false;
    /** The processor time of the process when a program had ended. */
    let usedAt: number | undefined;
    const timer = setInterval(async () => {
      const used = await processorTime(child.pid!);
      usedAt ??= used;
      if (used - usedAt > PATIENCE) isHung = child.kill("SIGKILL");
    }, INTERVAL);
    createInterface(child.stdout).on("line", (line) => {
      last = JSON.parse(line);
      usedAt = undefined;
    });
    child.stderr.on("data", (chunk) => errors = (errors + chunk).slice(-1_000));
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(timer);
      if (!last) reject(new Error(`the process ended with ${code}: ${errors}`));
      else if (code === 0) resolve(last);
      else {
        const how = isHung ? "hangs" : "dies";
        resolve({ ran: last.ran + 1, violation: `0: the process ${how} in a program` });
      }
    });
  });
}

/**
 * Returns the seconds of processor time that a process has used: on a machine that has other work, time
 * says little. Where that is unknown, a tenth of the time that has passed.
 */
async function processorTime(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [user, system] = text.slice(text.lastIndexOf(")") + 2).split(" ").slice(11, 13).map(Number);
  return user === undefined || system === undefined
    ? performance.now() / 10_000
    : (user + system) / 100;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      programs: { type: "string" },
      jobs: { type: "string" },
      clients: { type: "boolean" },
      recipes: { type: "boolean" },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const programs = Number(values.programs ?? 2_000);
  const print = (text: string) => void process.stdout.write(text + "\n");
  print(`seed ${seed}`);
  const all = [...MUTANTS, ...DETAIL_MUTANTS, ...RUNNER_MUTANTS];
  const queue: { kind: Kind; mutant?: Mutant }[] = [];
  for (const kind of ["clients", "recipes"] as const) {
    if ((values.clients || values.recipes) && !values[kind]) continue;
    if (positionals.length === 0) queue.push({ kind });
    for (const mutant of all) {
      const isChosen = positionals.length === 0 ||
        positionals.some((piece) => mutant.what.includes(piece));
      if (isChosen && kindOf(mutant) === kind) queue.push({ kind, mutant });
    }
  }
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { kind, mutant } = next;
      const what = mutant?.what ?? `no mutant of ${kind}`;
      const { ran, violation } = await hunt(mutant, seed, programs, kind).catch((error) => {
        // A mutant that does not run proves nothing.
        print(`NOT OK ${what}: ${error.message}`);
        process.exitCode = 1;
        return { ran: 0, violation: undefined };
      });
      if (ran === 0 && violation === undefined) continue;
      const isRight = (violation !== undefined) === (mutant !== undefined);
      if (!isRight) process.exitCode = 1;
      const outcome = violation
        ? `found after ${ran} programs: ${violation}`
        : `not found in ${ran}`;
      print(`${isRight ? "ok" : "NOT OK"} ${what}: ${outcome}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs ?? 2) }, work));
}
