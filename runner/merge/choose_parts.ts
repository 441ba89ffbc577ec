import { type EventShard, MAX_SHARDS } from "../events/event.ts";
import { checkPlan, MergeError, partOf, plannedOf, type StreamFile } from "./streams.ts";

/** The streams that make up a whole run. */
export interface ChosenParts {
  /** The newest stream of each shard that has one, by the number of the shard. */
  parts: StreamFile[];
  /** What a reader has to know about the others. */
  notes: string[];
  /** The numbers of the shards that have no stream. */
  missing: number[];
  /** The number of cases of the plan. */
  planned: number;
}

/** The most cases that a plan can have, so that a damaged number does not keep a process busy. */
const MAX_PLANNED = 10_000_000;

/**
 * Chooses the newest attempt of each shard.
 * @throws {MergeError} When the streams do not belong together.
 */
export function chooseParts(streams: readonly StreamFile[]): ChosenParts {
  checkPlan(streams);
  for (const stream of streams) checkPart(stream);
  const { planned } = partOf(streams[0]!);
  const total = Math.max(...streams.map((stream) => partOf(stream).total));
  const notes: string[] = [];
  const parts: StreamFile[] = [];
  const missing: number[] = [];
  const ofCut = streams.filter((stream) => partOf(stream).total === total);
  for (const stream of streams) {
    if (ofCut.includes(stream)) continue;
    const { index, total: other } = partOf(stream);
    throw new MergeError(
      `Cannot merge '${stream.name}' with '${
        ofCut[0]!.name
      }': it is part ${index} of ${other}, not ` +
        `of ${total}`,
      "overlap",
    );
  }
  for (let index = 1; index <= total; index++) {
    const [newest, ...earlier] = ofCut.filter((stream) => partOf(stream).index === index)
      .sort(newestFirst);
    if (newest) parts.push(newest);
    else missing.push(index);
    for (const stream of earlier) notes.push(noteAbout(stream, newest!, `${index}/${total}`));
  }
  const owners = ownersOf(parts);
  if (missing.length === 0) checkAll(owners, planned, parts);
  return { parts, notes, missing, planned };
}

/** The newest attempt first; of copies of it the one that has most, since others may be cut. */
function newestFirst(a: StreamFile, b: StreamFile): number {
  const attempts = (b.started.attempt ?? 1) - (a.started.attempt ?? 1);
  const times = Date.parse(b.started.ts) - Date.parse(a.started.ts);
  return attempts || times || Number(b.hasEnded) - Number(a.hasEnded) || b.size - a.size;
}

function noteAbout(stream: StreamFile, newest: StreamFile, shard: string): string {
  const { started: { ts, attempt } } = stream;
  const isCopy = ts === newest.started.ts && attempt === newest.started.attempt;
  return isCopy
    ? `'${stream.name}' is a copy of '${newest.name}'`
    : `'${stream.name}' is an earlier attempt of shard ${shard}; '${newest.name}' counts`;
}

/**
 * Returns which shard has each case.
 * @throws {MergeError} When two have the same, as shards that were cut by different histories can.
 */
function ownersOf(parts: readonly StreamFile[]): Map<number, StreamFile> {
  const owners = new Map<number, StreamFile>();
  for (const part of parts) {
    const { cases } = partOf(part);
    for (const number of cases) {
      const other = owners.get(number);
      if (other === part) {
        throw new MergeError(
          `Cannot merge '${part.name}': its first event names case ${number + 1} of the plan twice`,
          "bad_stream",
        );
      }
      if (other) {
        throw new MergeError(
          `Cannot merge '${part.name}' with '${other.name}': both ran case ${number + 1} of the ` +
            "plan, so they were cut with different histories",
          "overlap",
        );
      }
      owners.set(number, part);
    }
  }
  return owners;
}

/** Shards that were cut by different histories can also leave out a case. */
function checkAll(
  owners: ReadonlyMap<number, StreamFile>,
  planned: number,
  parts: readonly StreamFile[],
): void {
  if (owners.size === planned) return;
  let number = 0;
  while (owners.has(number)) number++;
  const why = parts.length === 1
    ? "its first event does not name"
    : "they were cut with different histories: none has";
  const names = parts.length === 1 ? `'${parts[0]!.name}'` : `the ${parts.length} shards`;
  throw new MergeError(
    `Cannot merge ${names}: ${why} case ${number + 1} of the plan`,
    "gap",
  );
}

/** Checks that the numbers of a part can be those of a plan. */
function checkPart(stream: StreamFile): void {
  const planned = plannedOf(stream);
  // Checked first: the part of a run without shards is a list of all cases.
  const why = planned > MAX_PLANNED
    ? `names a plan of ${planned} cases`
    : mistakeOf(partOf(stream));
  if (why === undefined) return;
  throw new MergeError(`Cannot merge '${stream.name}': its first event ${why}`, "bad_stream");
}

function mistakeOf({ index, total, cases, planned }: EventShard): string | undefined {
  const far = cases.find((number) => number >= planned);
  if (far !== undefined) return `names case ${far} of a plan that has ${planned}`;
  return index > total || total > MAX_SHARDS ? `names part ${index} of ${total}` : undefined;
}
