import { enqueueRequests } from "./connection/requests.ts";
import { DispatchError, EnqueueManyError } from "./errors.ts";
import { checkOptions, type EnqueueOptions, FROM_1 } from "./options.ts";
import type { Session } from "./session.ts";

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
  session: Session,
  createJob: (jobId: string, queue: string, state: string) => JobHandle,
  name: string,
  payloads: Iterable<unknown>,
  { window = 64, onProgress, ...options }: EnqueueManyOptions = {},
): Promise<JobHandle[]> {
  const own = { window: FROM_1, onProgress: "a function" };
  checkOptions(`enqueue '${name}'`, { window, onProgress }, own);
  const createRequest = enqueueRequests(name, options);
  const jobs: JobHandle[] = [];
  let sent = 0;
  let enqueued = 0;
  /** The number of jobs at the start of the array without a hole between them. */
  let complete = 0;
  let firstFailure: { index: number; cause: unknown } | undefined;
  /** Resumes the loop below. */
  let wake = () => {};
  const onSettled = () => {
    while (complete in jobs) complete++;
    wake();
  };
  const onFailed = (index: number, cause: unknown) => {
    if (!firstFailure || index < firstFailure.index) firstFailure = { index, cause };
    onSettled();
  };
  /** Waits until fewer requests than the limit are unfinished; throws the first failure. */
  const waitForRoom = async (limit: number) => {
    while (sent - complete >= limit) {
      // Requests before the first failure may still fail, and would then come first.
      if (firstFailure?.index === complete) {
        const { index, cause } = firstFailure;
        // An error that is not ours is the reason of the caller's signal.
        throw cause instanceof DispatchError ? new EnqueueManyError(name, index, cause) : cause;
      }
      await new Promise<void>((resolve) => wake = resolve);
    }
  };
  for (const payload of payloads) {
    const index = sent++;
    try {
      const request = createRequest(payload);
      session.send(
        request,
        (answer) => {
          try {
            const { job_id, queue, state } = request.decode(answer);
            onProgress?.(++enqueued);
            jobs[index] = createJob(job_id, queue, state);
            onSettled();
          } catch (error) {
            onFailed(index, error);
          }
        },
        (error) => onFailed(index, error),
      );
    } catch (error) {
      onFailed(index, error);
    }
    if (sent - complete >= window) await waitForRoom(window);
  }
  await waitForRoom(1);
  return jobs;
}
