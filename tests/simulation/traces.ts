import fc from "fast-check";
import { fileURLToPath } from "node:url";
import { programs } from "./program.ts";
import { runProgram } from "./run_program.ts";

/** The file with the hashes, which every runtime must reproduce. */
export const TRACES_FILE: string = fileURLToPath(new URL("traces.json", import.meta.url));

const PROGRAMS = 40;

/** Runs a fixed set of programs; returns the hash of what each did. */
export async function traces(): Promise<string[]> {
  const hashes: string[] = [];
  for (const program of fc.sample(programs, { seed: 1, numRuns: PROGRAMS })) {
    hashes.push((await runProgram(program)).hash);
  }
  return hashes;
}
