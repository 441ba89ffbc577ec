// Plants each mutant in a copy of the sources and prints after how many programs the simulation
// finds it: `deno task simulate:mutants`. Arguments choose mutants by a piece of their text.
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Mutant, MUTANTS } from "./mutants.ts";
import { RUNNER_MUTANTS } from "./recipes/mutants.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What the simulation runs. */
const SOURCES = [
  ...["client", "dev", "protocol", "runner", "runtime", "testing", "mod.ts"],
  ...["tests/helpers", "tests/report", "tests/runner", "tests/simulation"],
  ...["deno.json", "package.json"],
];

/** How many milliseconds a mutant may take. One that hangs the process counts as found. */
const LIMIT = 600_000;

/** The outcome of the search for a mutant. */
export interface Hunt {
  /** How many programs ran. */
  readonly ran: number;
  /** What the last program contradicts; absent if no program contradicts anything. */
  readonly violation?: string;
}

/** Runs programs on sources with a mutant; without one, on the sources as they are. */
export async function hunt(
  mutant: Mutant | undefined,
  seed: number,
  programs: number,
): Promise<Hunt> {
  const copy = await mkdtemp(join(tmpdir(), "dispatch-mutant-"));
  try {
    for (const path of SOURCES) await cp(join(ROOT, path), join(copy, path), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
    if (mutant) {
      const file = join(copy, mutant.file);
      await writeFile(file, applyEdits(mutant, await readFile(file, "utf8")));
    }
    const kind = mutant?.isRunner ? "recipes" : "clients";
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

function run(file: string, seed: number, programs: number, kind: string): Promise<Hunt> {
  const args = [file, String(seed), String(programs), kind];
  if ("Deno" in globalThis) args.unshift("run", "-A", "--no-check", "--no-lock");
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: LIMIT }, (error, stdout) => {
      if (stdout) resolve(JSON.parse(stdout));
      else if (error?.killed) resolve({ ran: 0, violation: "0: the process hangs" });
      else reject(error);
    });
  });
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: "string" }, programs: { type: "string" }, jobs: { type: "string" } },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const programs = Number(values.programs ?? 2_000);
  const print = (text: string) => void process.stdout.write(text + "\n");
  print(`seed ${seed}`);
  const chosen = [...MUTANTS, ...RUNNER_MUTANTS].filter(({ what }) =>
    positionals.length === 0 || positionals.some((piece) => what.includes(piece))
  );
  const queue: (Mutant | undefined)[] = [...chosen];
  if (positionals.length === 0) queue.unshift(undefined);
  const work = async () => {
    while (queue.length > 0) {
      const mutant = queue.shift();
      const { ran, violation } = await hunt(mutant, seed, programs).catch((error) => {
        // A mutant that does not run proves nothing.
        print(`NOT OK ${mutant?.what ?? "no mutant"}: ${error.message}`);
        process.exitCode = 1;
        return { ran: 0, violation: undefined };
      });
      if (ran === 0 && violation === undefined) continue;
      const isRight = (violation !== undefined) === (mutant !== undefined);
      if (!isRight) process.exitCode = 1;
      const outcome = violation
        ? `found after ${ran} programs: ${violation}`
        : `not found in ${ran}`;
      print(`${isRight ? "ok" : "NOT OK"} ${mutant?.what ?? "no mutant"}: ${outcome}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs ?? 2) }, work));
}
