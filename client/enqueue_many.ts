import { enqueueing, type EnqueueOptions } from "./connection/requests.ts";
import { DispatchError, EnqueueManyError } from "./errors.ts";
import { type Job, jobOf } from "./job.ts";
import type { Session } from "./session.ts";

/** Settings of {@linkcode Dispatch.enqueueMany}. */
export interface EnqueueManyOptions extends EnqueueOptions {
  /**
   * How many requests are on their way at a time.
   * @default {64}
   */
  window?: number;
}

/** Enqueues a job for each payload. */
export async function enqueueMany(
  session: Session,
  name: string,
  payloads: Iterable<unknown>,
  { window = 64, ...options }: EnqueueManyOptions = {},
): Promise<Job[]> {
  const request = enqueueing(name, options);
  const what = `enqueue '${name}'`;
  const jobs: Job[] = [];
  /** Called when the first that has no job yet has been answered, well or badly. */
  let wake = () => {};
  let sent = 0;
  let taken = 0;
  let failure: { index: number; cause: unknown } | undefined;
  /** Whether all before the first that failed have their job. */
  const move = () => {
    while (taken in jobs) taken++;
    wake();
  };
  const fail = (index: number, cause: unknown) => {
    if (!failure || index < failure.index) failure = { index, cause };
    move();
  };
  const wait = async (room: number) => {
    while (sent - taken >= room) {
      if (failure?.index === taken) {
        const { index, cause } = failure;
        // What is no error of ours is the signal's reason.
        throw cause instanceof DispatchError ? new EnqueueManyError(name, index, cause) : cause;
      }
      await new Promise<void>((resolve) => wake = resolve);
    }
  };
  for (const payload of payloads) {
    const index = sent++;
    try {
      session.send(
        request(payload),
        (answer) => {
          try {
            jobs[index] = jobOf(session, what, answer);
            move();
          } catch (error) {
            fail(index, error);
          }
        },
        (error) => fail(index, error),
      );
    } catch (error) {
      fail(index, error);
    }
    if (sent - taken >= window) await wait(window);
  }
  await wait(1);
  return jobs;
}
