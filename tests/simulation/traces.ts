import fc from "fast-check";
import { programs } from "./mix.ts";
import { runProgram } from "./run_program.ts";

const PROGRAMS = 40;

/** Runs a fixed set of programs; returns the hash of what each did. */
export async function traces(): Promise<string[]> {
  const hashes: string[] = [];
  for (const program of fc.sample(programs, { seed: 1, numRuns: PROGRAMS })) {
    hashes.push((await runProgram(program)).hash());
  }
  return hashes;
}

// Another runtime runs this file to compare its hashes.
if (import.meta.main) {
  const { default: process } = await import("node:process");
  process.stdout.write(JSON.stringify(await traces()));
}
