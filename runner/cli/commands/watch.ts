import type { Gap } from "../../../client/gap.ts";
import type { JobEvent, RunEvent } from "../../../protocol/event.ts";
import type { Clock, TimerHandle } from "../../../runtime/clock.ts";
import { Deadline, momentIn } from "../../events/deadline.ts";
import { safeJson } from "../../report/safe_text.ts";
import type { ParsedArgs } from "../args.ts";
import {
  CALL_EXIT_CODES,
  CALL_OPTIONS,
  callArguments,
  type CallSession,
  kindOfId,
  reportStatus,
  withClient,
} from "../calls/call_session.ts";
import { jobRows, runRows } from "../calls/entity_rows.ts";
import { eventLine } from "../calls/event_line.ts";
import { LivePicture, type PictureRow } from "../calls/live_picture.ts";
import { waitForEnd } from "../calls/wait_for_end.ts";
import type { Command, CommandContext } from "../command.ts";

/** `watch`: shows the steps of a run, or the attempts of a job, until it has ended. */
export const watch: Command = {
  usage: "watch ID",
  description: "Show the steps of a workflow run, or the events of a job, until it has ended.",
  options: {
    ...CALL_OPTIONS,
    json: { description: "Print the events as JSON, one a line." },
  },
  examples: (program) => [
    `${program} watch wfrun_01h455vb4pex5vsknk084sn02q`,
    `${program} watch job_01h455vb4pex5vsknk084sn02q --json | jq -r .type`,
  ],
  details: `
On a terminal it draws the steps and their times; in a pipe it prints a line for
each event. It begins with the first event, also if that was long ago.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const [id] = callArguments(args, "watch", ["ID"]);
    const kind = kindOfId(id!);
    return await withClient(args, context, { client: { maxRetries: 0 } }, async (session) => {
      const { timeout } = session.waitLimits();
      const { clock, signal } = context;
      using deadline = new Deadline(clock, momentIn(clock, timeout || Infinity), signal);
      try {
        if (!context.out.isTerminal || args.flags.has("json")) {
          return await printEvents(id!, kind === "job", session, deadline.signal, args, context);
        }
        return await draw(id!, kind === "job", session, deadline.signal, context);
      } catch (error) {
        if (!deadline.passed) throw error;
        context.err.write(`error: ${id} has not ended in time\n`);
        return 1;
      }
    });
  },
};

/** Prints a line for each event. */
async function printEvents(
  id: string,
  isJob: boolean,
  session: CallSession,
  signal: AbortSignal,
  { flags }: ParsedArgs,
  context: CommandContext,
): Promise<number> {
  const { client } = session;
  const { out, mask } = context;
  const handle = isJob ? client.job(id) : client.run(id);
  void reportStatus(session, context);
  for await (const event of handle.events({ signal })) {
    const shown = mask.value(event);
    out.write(`${flags.has("json") ? safeJson(shown) : eventLine(shown)}\n`);
    if (out.isClosed) return 0;
  }
  return await waitForEnd(handle, session, context);
}

/** How long after an event, and how often without one, the rows are read again, in milliseconds. */
const AFTER_EVENT = 50;
const WITHOUT_EVENT = 1000;

/** Draws the steps of a run or the events of a job on a terminal. */
async function draw(
  id: string,
  isJob: boolean,
  session: CallSession,
  signal: AbortSignal,
  context: CommandContext,
): Promise<number> {
  const { client, limits } = session;
  const { out, clock, mask } = context;
  const handle = isJob ? client.job(id) : client.run(id);
  const { name } = await handle.get(limits());
  const title = mask.text(`${name}  ${id}`);
  const events: unknown[] = [];
  const readRows = async (): Promise<PictureRow[]> => {
    const rows = isJob
      ? jobRows(events as (JobEvent | Gap)[])
      : runRows(events as (RunEvent | Gap)[], await client.workflowTimeline(id, limits()));
    return mask.value(rows);
  };
  {
    using picture = new LivePicture(out, clock, title);
    using refresh = new Refresh(clock, async () => {
      picture.show({ title, rows: await readRows(), state: handle.state, ok: undefined });
    });
    for await (const event of handle.events({ signal })) {
      events.push(event);
      refresh.in(AFTER_EVENT);
    }
    const record = await handle.get(limits());
    picture.show({
      title,
      rows: await readRows(),
      state: record.state,
      ok: record.state === "completed",
      ms: Date.parse(record.completed_at ?? record.updated_at) - Date.parse(record.created_at),
    });
  }
  return await waitForEnd(handle, session, context);
}

/** Calls a function again and again, one call at a time. */
class Refresh implements Disposable {
  readonly #clock: Clock;
  readonly #call: () => Promise<void>;
  #timer: TimerHandle | undefined;
  #isOver = false;

  constructor(clock: Clock, call: () => Promise<void>) {
    this.#clock = clock;
    this.#call = call;
    this.in(0);
  }

  /** Makes the next call in some milliseconds. */
  in(ms: number): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => void this.#run(), ms);
  }

  async #run(): Promise<void> {
    try {
      await this.#call();
    } catch (_error) {
      // The events, or the last read, will end with the same error.
    }
    if (!this.#isOver) this.in(WITHOUT_EVENT);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#clock.clearTimeout(this.#timer);
  }
}
