import type { Moment, StepEvidence } from "../evidence.ts";
import { type StepModel, tagOf } from "../model.ts";
import type { JudgedCase } from "./judged_case.ts";

/** The items that ran, and the one that failed first. */
interface Items {
  ran: readonly number[];
  first: { item: number; finish: Moment } | undefined;
}

/** Compares when the items of a step ran with how many of them may run at a time. */
export function compareItems(judged: JudgedCase, step: StepModel, items: number): Items {
  const key = tagOf(step);
  const all = Array.from(
    { length: items },
    (_, item) => judged.reported(`${key}[${item}]`),
  );
  const ran = all.flatMap((one, item) => {
    const [finish] = one.finished;
    return finish ? [{ item, began: one.attempts[0]?.start ?? finish, finish }] : [];
  });
  const [first] = failuresOf(ran);
  for (const [index, { item, began }] of ran.entries()) {
    if (item !== index) judged.problems.push(`${key} left out item ${index}`);
    const beside = ran.filter((one) =>
      one.began.order < began.order && one.finish.order > began.order
    ).length;
    if (beside >= step.side) judged.problems.push(`${key}[${item}] ran beside ${beside} others`);
    if (index < step.side && began.at > ran[0]!.began.at && beside < index) {
      judged.problems.push(`${key}[${item}] was started late`);
    }
    if (first && first.finish.order < began.order && first.finish.at < began.at) {
      judged.problems.push(`${key}[${item}] was started after ${first.item} had failed`);
    }
  }
  if (ran.length < items && !first) judged.problems.push(`${key} ran for ${ran.length} items`);
  return { ran: ran.map(({ item }) => item), first };
}

type Finish = StepEvidence["finished"][number];

/** Returns those that have failed, the first one first. */
function failuresOf<T extends { finish: Finish }>(ended: readonly T[]): T[] {
  return ended.filter(({ finish: { event } }) =>
    event.status === "interrupted" ||
    event.status !== "passed" && event.status !== "skipped" && !event.soft
  ).toSorted((a, b) => a.finish.order - b.finish.order);
}

/** When the first of some steps of a script began, and the one that failed first. */
interface Together {
  began: Moment | undefined;
  first: { one: StepModel; finish: Moment } | undefined;
}

/** Returns when the steps of a script began that it awaits together, and which one failed first. */
export function compareTogether(judged: JudgedCase, { inner }: StepModel): Together {
  const ended = inner.flatMap((one) => {
    const { attempts, finished: [finish] } = judged.reported(tagOf(one));
    return finish ? [{ one, began: attempts[0]?.start ?? finish, finish }] : [];
  });
  const [began] = ended.map((one) => one.began).toSorted((a, b) => a.order - b.order);
  return { first: failuresOf(ended)[0], began };
}

/** Checks that the steps of a `parallel` have begun at the same time. */
export function beginTogether(judged: JudgedCase, { inner }: StepModel, { at }: Moment): void {
  for (const step of inner) {
    const key = step.items === undefined ? tagOf(step) : `${tagOf(step)}[0]`;
    const [first] = judged.reported(key).attempts;
    if (first && first.start.at > at) judged.problems.push(`${key} was started late`);
  }
}
