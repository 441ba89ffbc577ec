import type { AlertKind } from "./alerts.ts";
import { type Alert, formatTime } from "./scheduler.ts";

/** The JSON body that is posted to a webhook about an alert. */
export interface AlertMessage {
  /** The version of this format. It changes when readers of the old format could not read it. */
  version: 1;
  /** Whether the alert was raised, is repeated, or was resolved. */
  type: AlertKind;
  /** The whole message in one line. */
  text: string;
  /** The recipe's name. */
  recipe: string;
  /** The recipe's file, as it was named on the command line. */
  file: string;
  /** The server that the recipe ran against, or `embedded`. */
  server: string;
  /** The time of the alert, RFC 3339. */
  at: string;
  /** The time of the first failure, RFC 3339. */
  failing_since: string;
  /** The number of failures in a row. */
  failures: number;
  /** Why the last run failed, in one line. */
  failure?: string;
}

/** The longest name of a recipe and the longest failure in a message, in characters. */
const [MAX_NAME, MAX_FAILURE] = [200, 2_000];

/** What a message says besides the alert. */
export interface AlertContext {
  /** The recipe's file. */
  file: string;
  /** The server's name. */
  server: string;
  /** Makes text safe to show: one line without secrets, at most `limit` characters long. */
  line(text: string, limit: number): string;
}

/** Makes the message about an alert. Its texts are cut where they are too long for a chat. */
export function alertMessage(
  { kind, entry, at, since, failures, failure }: Alert,
  { file, server, line }: AlertContext,
): AlertMessage {
  const recipe = line(entry.name, MAX_NAME);
  const why = failure === undefined ? {} : { failure: line(failure, MAX_FAILURE) };
  const message = {
    recipe,
    file: line(file, MAX_FAILURE),
    server: line(server, MAX_FAILURE),
    at: formatTime(at),
    failing_since: formatTime(since),
    failures,
    ...why,
  };
  return { version: 1, type: kind, text: messageText(kind, message), ...message };
}

function messageText(
  kind: AlertKind,
  { recipe, failing_since, failures, failure }: Omit<AlertMessage, "version" | "type" | "text">,
): string {
  const why = failure === undefined ? "" : `: ${failure}`;
  switch (kind) {
    case "raised":
      return failures === 1
        ? `ALERT ${recipe} has failed${why}`
        : `ALERT ${recipe} has failed ${failures} times in a row since ${failing_since}${why}`;
    case "reminder":
      return `ALERT ${recipe} has been failing since ${failing_since}${why}`;
    case "resolved":
      return `RESOLVED ${recipe} passes again; it had been failing since ${failing_since}`;
  }
}
