/**
 * All that is loaded at the start, under one name for what is loaded later. Bundlers cut chunks by
 * who needs which file: if each later part named the files it needs, the start would come in ten
 * pieces, each a request of its own and compressed by itself.
 *
 * @module
 */
export { jsonCodec } from "../protocol/codec.ts";
export { inBrowser } from "../runtime/browser.ts";
export { delay } from "../runtime/clock.ts";
export { abortable } from "../runtime/abortable.ts";
export { closedError, said, tooLate } from "./connection/connection_errors.ts";
export { limited } from "./connection/with_deadline.ts";
export { getJob, getRun, getTimeline, runRequest } from "./connection/requests.ts";
export { fullJitter } from "./backoff.ts";
export { Dispatch } from "./dispatch.ts";
export {
  AuthError,
  ConnectionError,
  DispatchError,
  JobFailedError,
  OverflowError,
  RunFailedError,
  TimeoutError,
} from "./errors.ts";
