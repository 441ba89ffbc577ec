import type { CelType, RecordType } from "../expression/types.ts";
import type { Notice } from "../health/model.ts";

/** The body that a web hook gets, unless it has a template. */
export interface NoticeBody {
  /** The version of this format. It changes when readers of the old format could not read it. */
  version: 1;
  /** The notice's name, the same for each attempt. */
  id: string;
  /** What it says. */
  type: Notice["kind"];
  /** The whole message in one line. */
  text: string;
  /** The recipe's name. */
  recipe: string;
  /** The recipe's file. */
  file: string;
  /** The recipe's tags. */
  tags: readonly string[];
  /** The server that the recipe ran against, or `embedded`. */
  server: string;
  /** The time of the notice, RFC 3339. */
  at: string;
  /** The time of the first failure, RFC 3339. */
  failing_since: string;
  /** How many runs have failed in the incident. */
  failures: number;
  /** Why the last run failed, in one line. */
  failure?: string;
  /** The name of the incident. */
  incident: string;
  /** The address of the check's page. */
  link?: string;
}

const NOTICE_FIELDS: Record<keyof NoticeBody, CelType> = {
  version: "int",
  id: "string",
  type: "string",
  text: "string",
  recipe: "string",
  file: "string",
  tags: "list<string>",
  server: "string",
  at: "string",
  failing_since: "string",
  failures: "int",
  failure: "string",
  incident: "string",
  link: "string",
};

/** What expressions about a notice can read. One that fails would leave the target without it. */
export const NOTICE_RECORD: RecordType = {
  title: "a notice",
  fields: NOTICE_FIELDS,
  optional: ["failure", "link"],
  mustAsk: true,
};

/** Makes the body about a notice. */
export function noticeBody(notice: Notice, text: string, link?: string): NoticeBody {
  const { id, kind, check, at, since, failures, failure, incident } = notice;
  const { name, file, tags, server } = check;
  return {
    ...{ version: 1, id, type: kind, text, recipe: name, file, tags, server },
    ...{ at: formatTime(at), failing_since: formatTime(since), failures },
    ...(failure === undefined ? {} : { failure }),
    incident,
    ...(link === undefined ? {} : { link }),
  };
}

/** The whole message in one line. */
export function noticeText({ kind, check, since, failures, failure, removed }: Notice): string {
  const why = failure === undefined ? "" : `: ${failure}`;
  const from = formatTime(since);
  switch (kind) {
    case "raised":
      return failures === 1
        ? `ALERT ${check.name} has failed${why}`
        : `ALERT ${check.name} has failed ${failures} times since ${from}${why}`;
    case "flapping":
      return `ALERT ${check.name} fails and passes by turns; quiet until it is stable${why}`;
    case "reminder":
      return `ALERT ${check.name} has been failing since ${from}${why}`;
    case "resolved":
      return `RESOLVED ${check.name} ${
        removed ? "is not scheduled any more" : "passes again"
      }; it had been failing since ${from}`;
  }
}

/** Formats a time as RFC 3339 in UTC, to the second. */
export function formatTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
