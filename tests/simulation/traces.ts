import fc from "fast-check";
import { runProgram } from "./run_program.ts";
import { STRATA } from "./strata.ts";

/** Runs a fixed program of each kind; returns the hash of what each did. */
export async function traces(): Promise<string[]> {
  const hashes: string[] = [];
  for (const [seed, kind] of STRATA.entries()) {
    const [program] = fc.sample(kind, { seed, numRuns: 1 });
    hashes.push((await runProgram(program!)).hash());
  }
  return hashes;
}

// Another runtime runs this file to compare its hashes.
if (import.meta.main) {
  const { default: process } = await import("node:process");
  process.stdout.write(JSON.stringify(await traces()));
}
