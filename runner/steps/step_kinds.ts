/**
 * The step kinds. Adding one is a file here and a line in this list.
 *
 * @module
 */
import { assert } from "./assert.ts";
import { call } from "./call.ts";
import { cancel } from "./cancel.ts";
import { enqueue } from "./enqueue.ts";
import { get } from "./get.ts";
import type { StepKind } from "./kind.ts";
import { log } from "./log.ts";
import { parallel } from "./parallel.ts";
import { publish } from "./publish.ts";
import { set } from "./set.ts";
import { sleep } from "./sleep.ts";
import { start } from "./start.ts";
import { stats } from "./stats.ts";
import { use } from "./use.ts";
import { wait } from "./wait.ts";

/** Every step kind by its name. */
// deno-lint-ignore no-explicit-any
export const STEP_KINDS: Readonly<Record<string, StepKind<any>>> = {
  enqueue,
  start,
  publish,
  wait,
  assert,
  cancel,
  get,
  stats,
  call,
  sleep,
  log,
  set,
  use,
  parallel,
};
