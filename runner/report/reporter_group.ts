import type { RecipeEvent } from "../events/event.ts";
import { formatDuration } from "../language/duration.ts";
import { type ReporterRequest, REPORTERS } from "./registry.ts";
import type { ReportFile } from "./report_file.ts";
import type { Output, Reporter, ReporterContext } from "./reporter.ts";

/** How long a reporter may take to finish, in milliseconds. */
const FINISH_LIMIT = 10_000;

/** A reporter did not finish in time; its code is `"not_finished"`. */
class NotFinishedError extends Error {
  readonly code = "not_finished";

  constructor() {
    super(`it did not finish within ${formatDuration(FINISH_LIMIT)}`);
    this.name = "NotFinishedError";
  }
}

/** What a {@linkcode ReporterGroup} needs to open its reporters. */
export interface ReporterGroupContext extends Omit<ReporterContext, "output"> {
  /** Standard output, for reporters without a file. */
  out: Output;
  /** Standard error, for errors of reporters. */
  err: Output;
  /** Called when the group gives up a reporter, which may still keep the process alive. */
  onStuck?: () => void;
  /** Whether the run has ended before: then its stream is a file as any other, complete or absent. */
  isStored?: boolean;
}

/** A reporter of the group. */
interface Member {
  name: string;
  reporter: Reporter;
  /** The file that it writes. */
  file: ReportFile | undefined;
  /** Set when it failed; it receives no further events. */
  failed?: { error: unknown };
}

/**
 * Several reporters that act as one.
 *
 * If a reporter fails, the group says so on standard error, and the other reporters go on.
 */
export class ReporterGroup implements Reporter {
  #members: Member[] = [];
  #context: ReporterGroupContext;
  #failures: string[] = [];

  private constructor(context: ReporterGroupContext) {
    this.#context = context;
  }

  /** Opens the reporters that a command line asks for. */
  static async open(
    requests: readonly ReporterRequest[],
    context: ReporterGroupContext,
  ): Promise<ReporterGroup> {
    const group = new ReporterGroup(context);
    const out = requests.filter(usesStandardOutput).length > 1
      // The live view of one reporter would break when another writes to the same terminal.
      ? { ...context.out, isTerminal: false }
      : context.out;
    for (const request of requests) await group.#open(request, out);
    return group;
  }

  /**
   * Whether a report is missing or incomplete. Exports over the network do not count: a collector
   * that is down must not fail the run.
   */
  get hasFailed(): boolean {
    return this.#failures.length > 0;
  }

  /** Which reports are missing or incomplete, and why, a line each. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Passes an event to every reporter that has not failed. */
  report(event: RecipeEvent): void {
    for (const member of this.#members) {
      if (member.failed) continue;
      try {
        member.reporter.report(event);
      } catch (error) {
        // `finish` prints it: a live view would overwrite it now.
        member.failed = { error };
      }
    }
  }

  /** Returns what to wait for if a reporter has much to send. */
  backlog(): Promise<void> | undefined {
    for (const { reporter, failed } of this.#members) {
      const backlog = failed ? undefined : reporter.backlog?.();
      if (backlog) return backlog;
    }
    return undefined;
  }

  /**
   * Finishes every reporter and writes its file. A reporter that failed leaves no file, or that which
   * it has written during the run.
   */
  async finish(): Promise<void> {
    for (const member of this.#members) {
      try {
        if (!member.failed) await this.#withinLimit(finishMember(member));
      } catch (error) {
        member.failed = { error };
      }
      if (member.failed) member.file?.abandon();
      if (member.failed) this.#fail(member.name, member.failed.error);
    }
  }

  /** Gives up all reporters: the run that they report cannot be known. */
  abandon(): void {
    for (const { file } of this.#members) file?.abandon();
  }

  async #open({ name, file }: ReporterRequest, out: Output): Promise<void> {
    try {
      const { load, isStream } = REPORTERS[name]!;
      const { openReporter } = await load();
      const { saidFailure, isStored, ...context } = this.#context;
      const target = file === undefined ? undefined : await openFile(file, isStream && !isStored);
      const isBeside = file === undefined && saidFailure !== undefined;
      const reporter = await openReporter({
        ...context,
        ...(isBeside ? { saidFailure } : {}),
        output: target?.output ?? out,
      });
      this.#members.push({ name, reporter, file: target });
    } catch (error) {
      this.#fail(name, error);
    }
  }

  async #withinLimit(work: Promise<void>): Promise<void> {
    const { clock, onStuck } = this.#context;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = clock.setTimeout(() => {
      reject(new NotFinishedError());
      onStuck?.();
    }, FINISH_LIMIT);
    try {
      await Promise.race([work, late]);
    } finally {
      clock.clearTimeout(timer);
    }
  }

  #fail(name: string, error: unknown): void {
    const isExport = REPORTERS[name]!.writes === "network";
    const why = error instanceof Error ? error.message : String(error);
    const text = `reporter ${name} failed: ${why}`;
    if (!isExport) this.#failures.push(text);
    this.#context.err.write(`${isExport ? "warning" : "error"}: ${text}\n`);
  }
}

async function openFile(path: string, isStream = false): Promise<ReportFile> {
  const { streamFile, wholeFile } = await import("./report_file.ts");
  return isStream ? await streamFile(path) : wholeFile(path);
}

function usesStandardOutput({ name, file }: ReporterRequest): boolean {
  return file === undefined && REPORTERS[name]!.writes !== "network";
}

async function finishMember(member: Member): Promise<void> {
  const { reporter, file } = member;
  await reporter.finish?.();
  // A reporter that finishes after the limit has been reported as failed, so it writes no file.
  if (!member.failed) await file?.finish();
}
