import fc from "fast-check";
import { runProgram } from "./run_program.ts";
import { STRATA } from "./strata.ts";

const PROGRAMS = 40;

/** Runs a fixed set of programs; returns the hash of what each did. */
export async function traces(): Promise<string[]> {
  const hashes: string[] = [];
  for (let seed = 0; seed < PROGRAMS; seed++) {
    const [program] = fc.sample(STRATA[seed % STRATA.length]!, { seed, numRuns: 1 });
    hashes.push((await runProgram(program!)).hash());
  }
  return hashes;
}

// Another runtime runs this file to compare its hashes.
if (import.meta.main) {
  const { default: process } = await import("node:process");
  process.stdout.write(JSON.stringify(await traces()));
}
