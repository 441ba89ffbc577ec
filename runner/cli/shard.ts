import { MAX_SHARDS } from "../events/event.ts";
import { median } from "../history/compare.ts";
import { UsageError } from "./args.ts";
import type { CommandContext } from "./command.ts";

/** One of the parts that a plan is cut into. */
export interface Shard {
  /** Its number, from 1. */
  index: number;
  /** The number of parts. */
  total: number;
}

/** Where a service that runs a job several times says which of them this is. */
const SERVICES: readonly { name: string; index: string; total: string; first: 0 | 1 }[] = [
  { name: "Kubernetes", index: "JOB_COMPLETION_INDEX", total: "DISPATCH_SHARDS", first: 0 },
  { name: "GitLab", index: "CI_NODE_INDEX", total: "CI_NODE_TOTAL", first: 1 },
  {
    name: "Buildkite",
    index: "BUILDKITE_PARALLEL_JOB",
    total: "BUILDKITE_PARALLEL_JOB_COUNT",
    first: 0,
  },
  { name: "CircleCI", index: "CIRCLE_NODE_INDEX", total: "CIRCLE_NODE_TOTAL", first: 0 },
];

/**
 * Reads `--shard`: `2/3`, or `auto`, which asks the variables of the service that runs the process.
 * @throws {UsageError} When it is neither, or when the variables say nothing or something wrong.
 */
export function readShard(option: string, env: CommandContext["env"]): Shard {
  if (option === "auto") return shardOfService(env);
  const match = /^(\d+)\/(\d+)$/.exec(option);
  const shard = { index: Number(match?.[1]), total: Number(match?.[2]) };
  if (!match || !isShard(shard)) {
    if (shard.total > MAX_SHARDS) {
      throw new UsageError(`--shard ${option}: a plan has at most ${MAX_SHARDS} parts`);
    }
    throw new UsageError(`--shard must be I/N, such as 1/3, or auto, not '${option}'`);
  }
  return shard;
}

function shardOfService(env: CommandContext["env"]): Shard {
  const found: { name: string; shard: Shard }[] = [];
  let problem: string | undefined;
  for (const service of SERVICES) {
    const total = env(service.total);
    // GitLab does not count a job that is not parallel.
    const index = env(service.index) || (total === "1" ? String(service.first) : undefined);
    if (!index && !total) continue;
    if (!index || !total) {
      const [set, missing] = index
        ? [service.index, service.total]
        : [service.total, service.index];
      problem ??= `${set} is set, but ${missing} is not (${service.name})`;
      continue;
    }
    const shard = { index: wholeNumber(index) + 1 - service.first, total: wholeNumber(total) };
    if (!isShard(shard)) {
      throw new UsageError(
        `--shard auto: ${service.index}=${index} and ${service.total}=${total} name no part of a whole`,
      );
    }
    found.push({ name: service.name, shard });
  }
  // A service may say of each job that it is not parallel, also of one that another service starts.
  const parallel = found.filter(({ shard }) => shard.total > 1);
  if (problem !== undefined && parallel.length === 0) {
    throw new UsageError(`--shard auto: ${problem}`);
  }
  const [first, ...others] = parallel.length > 0 ? parallel : found;
  if (!first) {
    const pairs = SERVICES.map(({ name, index, total }) => `${index} and ${total} (${name})`);
    throw new UsageError(`--shard auto needs ${pairs.join(", or ")}`);
  }
  const { name, shard: { index, total } } = first;
  const other = others.find(({ shard }) => shard.index !== index || shard.total !== total);
  if (!other) return first.shard;
  const { shard } = other;
  throw new UsageError(
    `--shard auto: the variables of ${name} say ${index}/${total}, and those of ${other.name} ` +
      `${shard.index}/${shard.total}; use --shard I/N`,
  );
}

function wholeNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : NaN;
}

function isShard({ index, total }: Shard): boolean {
  return index >= 1 && index <= total && total <= MAX_SHARDS;
}

/**
 * Cuts a plan into shards, and returns for each case the number of its shard, from 1. With the times
 * that cases usually take, the longest case goes first, to the shard with the least work so far;
 * without any, the cases are dealt out in turn. The same arguments always give the same shards.
 *
 * @param times How long each case usually takes in milliseconds, if that is known.
 */
export function cutIntoShards(times: readonly (number | undefined)[], total: number): number[] {
  const known = times.filter((ms) => ms !== undefined);
  if (known.length === 0) return times.map((_, i) => i % total + 1);
  // A case that has never run is taken for an ordinary one.
  const usual = median(known);
  const longestFirst = times.map((ms, i) => ({ i, ms: Math.max(1, ms ?? usual) }))
    .sort((a, b) => b.ms - a.ms || a.i - b.i);
  const shards = new Array<number>(times.length);
  const work = new Array<number>(total).fill(0);
  for (const { i, ms } of longestFirst) {
    const shard = work.indexOf(Math.min(...work));
    work[shard]! += ms;
    shards[i] = shard + 1;
  }
  return shards;
}
