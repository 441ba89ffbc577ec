import { json, text } from "../../language/value_fields.ts";
import { noticeBody } from "../message.ts";
import type { ForMessage, TargetKind } from "../target.ts";
import { addressIn, headers, headersIn, JSON_HEADERS, requiredAddress } from "./fields.ts";

/** A web hook of any kind. */
export const webhook: TargetKind = {
  name: "webhook",
  description: "A web hook of any kind.",
  fields: {
    url: requiredAddress("The address."),
    headers,
    secret: text("A secret to sign the body with, as `x-dispatch-signature: sha256=…`."),
    body: json(
      "The body, whose expressions can use `notice`; the whole notice as JSON by default.",
    ),
  },
  perMessage: ["body"],
  open: (settings) => {
    const url = addressIn(settings, "url");
    const own = headersIn(settings);
    const makeBody = (settings.body ?? ((notice) => notice)) as ForMessage;
    return {
      request: async ({ notice, text, link }) => {
        const value = makeBody(noticeBody(notice, text, link));
        const body = typeof value === "string" ? value : JSON.stringify(value);
        const type = typeof value === "string" ? { "content-type": "text/plain" } : JSON_HEADERS;
        const headers: Record<string, string> = { ...type, "idempotency-key": notice.id, ...own };
        if (settings.secret !== undefined) {
          const signature = await sign(body, String(settings.secret));
          headers["x-dispatch-signature"] = `sha256=${signature}`;
        }
        return { url, headers, body };
      },
    };
  },
};

/** The HMAC of a body with SHA-256, in hexadecimal digits. */
async function sign(body: string, secret: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
    "sign",
  ]);
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(body)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
