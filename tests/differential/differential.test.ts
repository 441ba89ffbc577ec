import { equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import {
  constantBackoff,
  createDevServer,
  type QuirkName,
  referenceWorkload,
} from "../../dev/mod.ts";
import { describe } from "./describe.ts";
import { search, type SearchOptions, type SearchResult } from "./search.ts";

const RUNS = 25;
const PLANTED = { seed: 1, runs: 100, tries: 1 };

/** Compares two embedded servers, of which one lacks a quirk. */
async function compareServers(
  options: Omit<SearchOptions, "urls">,
  off?: QuirkName,
): Promise<SearchResult> {
  const workload = () => ({ ...referenceWorkload(), backoff: constantBackoff(1) });
  await using first = await createDevServer(workload());
  const quirks = off && { [off]: false };
  await using second = await createDevServer({ ...workload(), quirks });
  return await search({ urls: [first.url, second.url], ...options });
}

const seed = Math.floor(Math.random() * 2 ** 31);
test(`two embedded servers do the same in random sequences, seed ${seed}`, async () => {
  const result = await compareServers({ seed, runs: RUNS });
  equal(result.found && describe(result.found, ["first", "second"]), undefined);
  equal(result.ran, RUNS);
  ok(result.exchanges > RUNS, "the sequences are not empty");
});

test("finds a method that one server lacks, and makes the sequence small", async () => {
  const { found } = await compareServers({ ...PLANTED, shrinkMs: 1_000 }, "methods-missing");
  const text = describe(found!, ["first", "second"]);
  ok(found!.path.includes(":"), "the path goes to a smaller sequence");
  match(text, /^ {2}first .*"code":405.*\n {2}second/m);
});

test("finds events that differ", async () => {
  const { found } = await compareServers({ ...PLANTED, shrinkMs: 0 }, "entity-channel");
  equal(found!.difference.exchange, undefined);
  match(found!.difference.text, /channel: expected "(?:job|workflow):/);
});
