import { delay, monotonicNow } from "../../../runtime/clock.ts";
import { FileError, listDirectory, pathKind } from "../../../runtime/file.ts";
import type { RecipeEvent } from "../../events/event.ts";
import { chooseParts } from "../../merge/choose_parts.ts";
import { mergeParts } from "../../merge/merge_parts.ts";
import { mergePlaces, type Place, type Quorum, withoutCopies } from "../../merge/merge_places.ts";
import { checkStream, openStream } from "../../merge/open_stream.ts";
import { checkPlan, MergeError, type StreamFile } from "../../merge/streams.ts";
import type { HistoryRecorder } from "../../history/recorder.ts";
import { StreamError } from "../../report/json/read_stream.ts";
import type { ReporterRequest } from "../../report/registry.ts";
import { type ParsedArgs, UsageError } from "../args.ts";
import { checkOutputs } from "../check_outputs.ts";
import { type Command, type CommandContext, COULD_NOT_RUN } from "../command.ts";
import { durationOption } from "../options.ts";
import { historyPath, openHistory } from "../open_history.ts";
import { REPORTER_OPTION, reporterLines } from "../reporter_option.ts";
import { heldOutput, openStoredReports, sendsAtOnce, storedReporters } from "../stored_reports.ts";

/** `merge`: makes one run of the parts of a plan. */
export const merge: Command = {
  usage: "merge FILE | DIRECTORY…",
  description: "Make one run of the streams that the shards of a plan have written.",
  examples: (program) => [
    `${program} merge shards/ --reporter junit=junit.xml`,
    `${program} merge tokyo.jsonl paris.jsonl oslo.jsonl --quorum 2/3`,
  ],
  options: {
    reporter: REPORTER_OPTION,
    quorum: {
      value: "K/N",
      description: "Merge the same plan from N places: a case fails when K of them say so.",
    },
    history: {
      value: "FILE",
      description: "Keep the results in FILE. Default: DISPATCH_HISTORY.",
    },
    wait: {
      value: "DURATION",
      description: "Wait so long for shards that are missing or still run. Default: 0.",
    },
    quiet: { short: "q", description: "Print only failures and the summary." },
  },
  details: `
A directory stands for its files that end with .jsonl. The newest attempt of
each shard counts. With --quorum each argument is a place; or, if there is
only one, each of its files.

Reporters:
${reporterLines().join("\n")}

Exit codes: that of the whole run; 3 also if a shard is missing or its process
was killed; 2 if the streams do not belong together.
`,
  async run(args, context) {
    const quorum = quorumOption(args.values.quorum);
    const wait = durationOption(args, "wait") ?? 0;
    const reporters = storedReporters(args, context);
    const history = historyPath(args, context.env);
    try {
      const found = await waitForStreams(args.positional, quorum, wait, context);
      const { places, files, unbegun, absent, copies } = found;
      const inputs = { recipes: [], variables: [], dev: undefined, streams: files };
      if (quorum && places.length > quorum.total) {
        const { needed, total } = quorum;
        throw new UsageError(`--quorum ${needed}/${total}: there are ${places.length} places`);
      }
      await checkOutputs({ reporters, history, inputs }, context);
      const isChecked = reporters.some(sendsAtOnce);
      if (isChecked) {
        for (const stream of places.flatMap(({ chosen }) => chosen.parts)) {
          await checkStream(stream);
        }
      }
      const notes = [
        ...copies,
        ...unbegun.map((file) => `'${file}' has no event: its process was killed`),
        ...absent.map((place) => `'${place}' has no stream`),
      ];
      const [{ chosen }] = places as [Place];
      const events = quorum
        ? mergePlaces(places, quorum, notes)
        : mergeParts({ ...chosen, notes: [...notes, ...chosen.notes] });
      // Nothing is printed of a merge that fails at the last line of its last stream.
      const held = isChecked ? undefined : heldOutput(context.out);
      const code = await write(events, reporters, history, args, {
        ...context,
        out: held ?? context.out,
      });
      held?.release();
      return code;
    } catch (error) {
      if (error instanceof StreamError) {
        const { path, line, message } = error;
        throw new UsageError(`Cannot read stream '${path}', line ${line}: ${message}`);
      }
      if (!(error instanceof MergeError)) throw error;
      if (error.code !== "unbegun") throw new UsageError(error.message);
      context.err.write(`error: ${error.message}\n`);
      return COULD_NOT_RUN;
    }
  },
};

function quorumOption(option: string | undefined): Quorum | undefined {
  if (option === undefined) return undefined;
  const match = /^(\d+)\/(\d+)$/.exec(option);
  const [needed, total] = [Number(match?.[1]), Number(match?.[2])];
  if (match && needed >= 1 && needed <= total) return { needed, total };
  throw new UsageError(`--quorum must be K/N, such as 2/3, not '${option}'`);
}

/** How often the streams are read again while some are missing, in milliseconds. */
const POLL_INTERVAL = 1_000;

/** The streams that are merged. */
interface FoundStreams {
  /** The places that have some. */
  places: Place[];
  /** All files. */
  files: string[];
  /** The files that have no event, because their process was killed or has just begun. */
  unbegun: string[];
  /** The places without any file. */
  absent: string[];
  /** What to say of places that are copies of others. */
  copies: string[];
}

/** Opens the streams of each place, and waits until none is missing and all have ended. */
async function waitForStreams(
  paths: readonly string[],
  quorum: Quorum | undefined,
  wait: number,
  { clock, signal, err }: CommandContext,
): Promise<FoundStreams> {
  const deadline = monotonicNow(clock) + wait;
  const ended = new Map<string, StreamFile>();
  for (let hasSaid = false;; hasSaid = true) {
    const isLast = monotonicNow(clock) >= deadline;
    try {
      const found = await openPlaces(paths, quorum !== undefined, ended);
      const isComplete = found.places.length >= (quorum?.total ?? 1) &&
        found.places.every(({ chosen: { parts, missing } }) =>
          missing.length === 0 && parts.every(({ hasEnded }) => hasEnded)
        );
      if (isComplete || isLast) return found;
    } catch (error) {
      // A stream that is being written may have only a part of its first line.
      const mayChange = error instanceof UsageError || error instanceof FileError ||
        error instanceof StreamError || (error instanceof MergeError && error.code === "unbegun");
      if (isLast || !mayChange) throw error;
    }
    if (!hasSaid) err.write("Waiting for the streams of all shards…\n");
    await delay(Math.min(POLL_INTERVAL, deadline - monotonicNow(clock)), { clock, signal });
  }
}

/**
 * Opens the streams of each place.
 * @param ended Those that have ended, by their files: they do not change, so they are read once.
 */
async function openPlaces(
  paths: readonly string[],
  hasQuorum: boolean,
  ended: Map<string, StreamFile>,
): Promise<FoundStreams> {
  const places: Place[] = [];
  const unbegun: string[] = [];
  const found = await findStreams(paths, hasQuorum);
  for (const { name, files } of found) {
    const streams: StreamFile[] = [];
    for (const file of files) {
      const stream = ended.get(file) ?? await openStream(file);
      if (stream?.hasEnded) ended.set(file, stream);
      if (stream) streams.push(stream);
      else unbegun.push(file);
    }
    if (streams.length > 0) places.push({ name, chosen: chooseParts(streams) });
  }
  const absent = found.flatMap(({ name, files }) => files.length === 0 ? [name] : []);
  if (absent.length === found.length) {
    throw new UsageError("Nothing to merge: none of the places has a stream");
  }
  if (places.length === 0) {
    throw new MergeError(
      "Cannot merge: no stream has an event, so its process was killed",
      "unbegun",
    );
  }
  checkPlan(places.flatMap(({ chosen }) => chosen.parts));
  const files = found.flatMap(({ files }) => files);
  return { ...withoutCopies(places), files, unbegun, absent };
}

/** Finds the files of each place; without a quorum there is only one place. */
async function findStreams(
  paths: readonly string[],
  hasQuorum: boolean,
): Promise<{ name: string; files: string[] }[]> {
  if (paths.length === 0) throw new UsageError("Nothing to merge: name files or a directory");
  const found: { name: string; files: string[] }[] = [];
  const arePlaces = hasQuorum && paths.length > 1;
  for (const path of paths) {
    const files = await filesOf(path);
    // A place of several may have left nothing, not even its directory.
    if (files.length === 0 && !arePlaces) {
      throw new UsageError(`Nothing to merge: '${path}' has no file that ends with .jsonl`);
    }
    const isAbsent = arePlaces && await pathKind(path) === "none";
    found.push({ name: path, files: isAbsent ? [] : files });
  }
  if (arePlaces) return found;
  const files = [...new Set(found.flatMap(({ files }) => files))];
  return hasQuorum
    ? files.map((file) => ({ name: file, files: [file] }))
    : [{ name: paths[0]!, files }];
}

async function filesOf(path: string): Promise<string[]> {
  if (await pathKind(path) !== "directory") return [path];
  const files = (await listDirectory(path)).filter((name) => name.endsWith(".jsonl")).sort();
  return files.map((name) => `${path.replace(/\/+$/, "")}/${name}`);
}

async function write(
  events: AsyncIterable<RecipeEvent[]>,
  reporters: readonly ReporterRequest[],
  history: string | undefined,
  args: ParsedArgs,
  context: CommandContext,
): Promise<number> {
  const { err, clock, signal } = context;
  const group = await openStoredReports(reporters, args, context);
  let exitCode = COULD_NOT_RUN;
  let recorder: HistoryRecorder | undefined;
  try {
    for await (const some of inGroups(events)) {
      signal.throwIfAborted();
      const [first] = some;
      if (first?.type === "run.started") {
        const isVirtual = first.clock === "virtual";
        recorder = await openHistory(history, true, {
          ...{ err, clock, isVirtual },
          isStored: true,
        });
      }
      for (const event of recorder?.annotateAll(some) ?? some) {
        group.report(event);
        if (event.type === "run.finished") exitCode = event.exit_code;
      }
      await group.backlog();
    }
  } catch (error) {
    // A part of the run would be taken for all of it, and recorded again by the next merge.
    recorder?.close();
    group.abandon();
    throw error;
  }
  await recorder?.finish();
  await group.finish();
  const isIncomplete = group.hasFailed || recorder?.hasFailed;
  return exitCode === 0 && isIncomplete ? COULD_NOT_RUN : exitCode;
}

/** How many events make a group that the history looks up at once: those of some thirty cases. */
const EVENTS_PER_GROUP = 256;

/** Joins the events of several cases. More than a few are never in memory together. */
async function* inGroups(pieces: AsyncIterable<RecipeEvent[]>): AsyncGenerator<RecipeEvent[]> {
  let group: RecipeEvent[] = [];
  for await (const piece of pieces) {
    for (const event of piece) group.push(event);
    if (group.length < EVENTS_PER_GROUP) continue;
    yield group;
    group = [];
  }
  yield group;
}
