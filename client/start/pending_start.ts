import type { Lane } from "./lane.ts";
import { markInput } from "./mark.ts";

/** A run that `workflow.start` has created. */
export interface Started {
  run_id: string;
  state: string;
}

/** A `workflow.start` whose run is not known yet. */
export interface PendingStart {
  readonly name: string;
  /** The data of the request, as JSON text. */
  readonly data: string;
  /** The text of the input with a mark, if it has one. The server stores it as it was sent. */
  readonly markedInput: string | undefined;
  /** Settles as soon as the run is known, from its record or from the answer, or the start failed. */
  readonly found: PromiseWithResolvers<Started>;
  /** The lane that the start is sent on. */
  lane?: Lane;
  /** The id of the run, once it is known. */
  runId?: string;
}

/**
 * Prepares the start of a workflow.
 * @param input The input as JSON text.
 */
export function prepareStart(name: string, input: string): PendingStart {
  const markedInput = markInput(input);
  const data = `{"name":${JSON.stringify(name)},"input":${markedInput ?? input}}`;
  return { name, data, markedInput, found: Promise.withResolvers() };
}
