import { type Bindings, mismatch, substitute } from "./match.ts";
import type { HttpStep } from "./transcript.ts";

/**
 * Sends the request of a step to the server of a WebSocket endpoint and checks the answer.
 * @throws {Error} If the answer is another one.
 */
export async function requestHttp(url: string, step: HttpStep, bindings: Bindings): Promise<void> {
  const path = substitute(step.path, bindings) as string;
  // Not with `new URL`, which would change the path.
  const { host } = new URL(url);
  const response = await fetch(`http://${host}${path}`, {
    method: step.method,
    headers: step.headers,
    redirect: "manual",
    ...(step.body === undefined ? {} : { body: bodyText(substitute(step.body, bindings)) }),
  });
  const text = await response.text();
  const difference = differences(step, response, text, bindings);
  if (difference === undefined) return;
  throw new Error(`${difference}\n    received: ${response.status} ${text.slice(0, 500)}`);
}

function differences(
  { status, type, location, absent, recv }: HttpStep,
  response: Response,
  text: string,
  bindings: Bindings,
): string | undefined {
  const { headers } = response;
  if (response.status !== status) return `status: expected ${status}`;
  if (type !== undefined && headers.get("Content-Type") !== type) {
    return `type: expected ${type}, received ${headers.get("Content-Type")}`;
  }
  if (location !== undefined && headers.get("Location") !== location) {
    return `location: expected ${location}, received ${headers.get("Location")}`;
  }
  const extra = absent.find((name) => headers.has(name));
  if (extra !== undefined) return `${extra}: unexpected ${headers.get(extra)}`;
  if (recv === undefined) return text === "" ? undefined : "body: expected none";
  const { text: plain, twice } = Object(recv) as { text?: unknown; twice?: unknown };
  if (plain !== undefined) return mismatch(plain, text, bindings, "body");
  const lines = text.split("\n");
  const count = twice === undefined ? 1 : 2;
  if (lines.length !== count + 1 || lines[count] !== "") {
    return `body: expected ${count} lines of JSON`;
  }
  if (lines[0] !== lines[count - 1]) return "body: expected two equal lines";
  return mismatch(twice ?? recv, JSON.parse(lines[0]!), bindings, "body");
}

function bodyText(body: unknown): string {
  const { text } = Object(body) as { text?: unknown };
  return typeof text === "string" ? text : JSON.stringify(body);
}
