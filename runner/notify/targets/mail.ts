import { oneOrMore, required } from "../../language/field.ts";
import { checkedText, type TextRule } from "../../language/value_fields.ts";
import { noticeBody } from "../message.ts";
import type { TargetKind } from "../target.ts";
import { cut } from "./fields.ts";

/** The longest subject, in characters. */
const MAX_SUBJECT = 200;

/** How long a mail server may take for each answer, in milliseconds. */
const TIMEOUT = 10_000;

const SERVER: TextRule = {
  isValid: (text) => /^smtps?:/i.test(text) && URL.canParse(text) && new URL(text).hostname !== "",
  problem: "must be the address of a mail server",
  label: "such as `smtp://mail.example.com:587`",
};

/** Only a rough check: the mail server knows which addresses there are. */
const MAILBOX: TextRule = {
  isValid: (text) => /^[^\s@<>]+@[^\s@<>]+$|^[^\r\n<>]* <[^\s@<>]+@[^\s@<>]+>$/.test(text),
  problem: "must be a mail address",
  label: "such as `ops@example.com` or `Ops <ops@example.com>`",
};

/** Mail, by a server that takes SMTP. */
export const mail: TargetKind = {
  name: "mail",
  description: "Mail, by a server that takes SMTP.",
  fields: {
    smtp: required(
      checkedText("The mail server: `smtp://user:password@mail.example.com:587`.", SERVER),
    ),
    from: required(checkedText("The sender's address.", MAILBOX)),
    to: required(oneOrMore(checkedText("The receivers' addresses.", MAILBOX))),
  },
  open: async (settings) => {
    const { smtp, from, to } = settings as { smtp: string; from: string; to: string[] };
    for (
      const [key, values, { isValid, problem, label }] of [
        ["smtp", [smtp], SERVER],
        ["from", [from], MAILBOX],
        ["to", to, MAILBOX],
      ] as const
    ) {
      // The value is not named, because it may be a secret.
      if (!values.every(isValid)) throw new Error(`\`${key}\` ${problem}, ${label}`);
    }
    // Loaded only here: a schedule without mail does not need it.
    const { createTransport } = await import("nodemailer");
    return {
      label: `smtp://${new URL(smtp).host}`,
      deliver: async ({ notice, text, link }) => {
        const transport = createTransport({
          url: smtp,
          connectionTimeout: TIMEOUT,
          greetingTimeout: TIMEOUT,
          socketTimeout: TIMEOUT,
        });
        const { version: _, text: __, ...details } = noticeBody(notice, text, link);
        const lines = Object.entries(details).map(([name, value]) => `${name}: ${value}`);
        try {
          await transport.sendMail({
            ...{ from, to },
            subject: cut(text, MAX_SUBJECT),
            text: [text, "", ...lines].join("\n"),
            messageId: `<${notice.id}@dispatch-recipes>`,
            // An address may come from an environment variable: it names no file and no second header.
            disableFileAccess: true,
            disableUrlAccess: true,
          });
          return undefined;
        } catch (error) {
          return problemOf(error as Error & { responseCode?: number });
        } finally {
          transport.close();
        }
      },
    };
  },
};

/** Codes of 500 and more are final, as RFC 5321 says. */
function problemOf({ message, responseCode }: Error & { responseCode?: number }) {
  return { text: `the mail server: ${message}`, final: (responseCode ?? 0) >= 500 };
}
