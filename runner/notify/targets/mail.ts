import { oneOrMore, required } from "../../language/field.ts";
import { text } from "../../language/value_fields.ts";
import { noticeBody } from "../message.ts";
import type { TargetKind } from "../target.ts";
import { cut } from "./fields.ts";

/** The longest subject, in characters. */
const MAX_SUBJECT = 200;

/** How long a mail server may take for each answer, in milliseconds. */
const TIMEOUT = 10_000;

/** Mail, by a server that takes SMTP. */
export const mail: TargetKind = {
  name: "mail",
  description: "Mail, by a server that takes SMTP.",
  fields: {
    smtp: required(text("The mail server: `smtp://user:password@mail.example.com:587`.")),
    from: required(text("The sender's address.")),
    to: required(oneOrMore(text("The receivers' addresses."))),
  },
  open: async (settings) => {
    const smtp = String(settings.smtp);
    if (!/^smtps?:/.test(smtp) || !URL.canParse(smtp)) {
      throw new Error("`smtp` must be an address such as `smtp://mail.example.com:587`");
    }
    // Loaded only here: a schedule without mail does not need it.
    const { createTransport } = await import("nodemailer");
    const { from, to } = settings as { from: string; to: string[] };
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
