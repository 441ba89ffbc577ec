import { type EnqueuedJob, enqueueRequests, send } from "./connection/requests.ts";
import { DispatchError, EnqueueManyError } from "./errors.ts";
import { checkOptions, ENQUEUE, type EnqueueOptions, FROM_1 } from "./options.ts";
import type { Transport } from "./connection/transport.ts";

/** Settings of `enqueueMany`. */
export interface EnqueueManyOptions extends EnqueueOptions {
  /**
   * How many requests may be in flight at a time.
   * @default {64}
   */
  window?: number;
  /**
   * Called after each answer with the number of jobs that are enqueued so far, in the order of the
   * payloads.
   */
  onProgress?: (enqueued: number) => void;
}

/** Enqueues a job for each payload, with several requests in flight; keeps the payloads' order. */
export async function enqueueMany<JobHandle>(
  transport: Transport,
  createJob: (jobId: string, queue: string, state: string) => JobHandle,
  name: string,
  payloads: Iterable<unknown>,
  options: EnqueueManyOptions = {},
): Promise<JobHandle[]> {
  const what = `enqueue '${name}'`;
  checkOptions(what, options, { ...ENQUEUE, window: FROM_1, onProgress: "a function" });
  // A string is iterable, too: it would be a job for each letter.
  const list = typeof payloads === "object" && payloads?.[Symbol.iterator] && payloads;
  checkOptions(what, { payloads: list || 0 }, { payloads: "an iterable object" });
  const { window = 64, onProgress, ...rest } = options;
  const createRequest = enqueueRequests(name, rest);
  const jobs: JobHandle[] = [];
  let enqueued = 0;
  /** The requests whose jobs are not in the list yet. */
  const requests: Promise<EnqueuedJob>[] = [];
  const enqueue = async (payload: unknown) => {
    const job = await send(transport, createRequest(payload));
    onProgress?.(++enqueued);
    return job;
  };
  // In order, so that the failure that rejects is the first.
  const waitForNext = async () => {
    try {
      const { job_id, queue, state } = await requests.shift()!;
      jobs.push(createJob(job_id, queue, state));
    } catch (cause) {
      // An error that is not ours is the reason of the caller's signal.
      if (!(cause instanceof DispatchError)) throw cause;
      throw new EnqueueManyError(name, jobs.length, cause);
    }
  };
  for (const payload of payloads) {
    const request = enqueue(payload);
    // A failure after the first one is of no interest.
    request.catch(() => {});
    requests.push(request);
    if (requests.length >= window) await waitForNext();
  }
  while (requests.length) await waitForNext();
  return jobs;
}
