import { encodeBase64 } from "../../protocol/base64.ts";
import { DispatchError } from "../errors.ts";

/** A run that `workflow.start` has created. */
export interface Started {
  run_id: string;
  name: string;
  state: string;
}

/** How many characters of white space mark an input, so that no other input is the same text. */
const MARK_LENGTH = 48;

/** A `workflow.start` whose run is not known yet. */
export class PendingStart {
  readonly name: string;
  /** The data of the request, as JSON text. */
  readonly data: string;
  /** The input as the server stores it: the base64 of its text, byte for byte. */
  readonly storedInput: string;
  /** Whether the input is marked, so that no other start has the same text. */
  readonly isMarked: boolean;
  readonly #found: PromiseWithResolvers<Started> = Promise.withResolvers();
  #run: Started | undefined;

  /** @param input The input as JSON text. */
  constructor(name: string, input: string, random: () => number) {
    this.name = name;
    this.isMarked = input.startsWith("{") || input.startsWith("[");
    const text = this.isMarked ? mark(input, random) : input;
    this.data = `{"name":${JSON.stringify(name)},"input":${text}}`;
    this.storedInput = encodeBase64(text);
  }

  /** Resolves as soon as the run is known. */
  get found(): Promise<Started> {
    return this.#found.promise;
  }

  /** The run, once it is known. */
  get run(): Started | undefined {
    return this.#run;
  }

  /** The run is known: from its record or from the answer. Only the first call counts. */
  resolve(run: Started): void {
    this.#run ??= run;
    this.#found.resolve(run);
  }

  /** The request failed. This has no effect once the run is known. */
  reject(error: unknown): void {
    this.#found.reject(error);
  }
}

/**
 * Reads the answer to `workflow.start`.
 * @throws {DispatchError} With the code `"bad_answer"`, if it does not name a run.
 */
export function decodeStarted(data: unknown, name: string): Started {
  const answer = data as Partial<Started> | undefined;
  if (typeof answer?.run_id !== "string") {
    throw new DispatchError(
      `Cannot start workflow '${name}': the answer has no run_id`,
      "bad_answer",
    );
  }
  return { run_id: answer.run_id, name: answer.name ?? name, state: answer.state ?? "running" };
}

/** Puts random white space before the closing bracket of an object or array. */
function mark(text: string, random: () => number): string {
  let space = "";
  for (let i = 0; i < MARK_LENGTH; i++) space += random() < 0.5 ? " " : "\t";
  return text.slice(0, -1) + space + text.slice(-1);
}
