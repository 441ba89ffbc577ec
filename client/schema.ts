/**
 * What a server knows, by name, so that a wrong name or payload is a compile error. Everything is
 * allowed where nothing is said.
 *
 * @example
 * ```ts
 * import { Dispatch } from "@dispatch/sdk";
 *
 * interface Shop {
 *   jobs: { "send-email": { to: string; subject: string } };
 *   workflows: { "order-payment": { order_id: string } };
 *   events: { "payment-received": { order_id: string } };
 * }
 *
 * function welcome(client: Dispatch<Shop>, to: string) {
 *   return client.enqueue("send-email", { to, subject: "Welcome" });
 * }
 * ```
 */
export interface Schema {
  /** The payload of each job. */
  // deno-lint-ignore no-explicit-any
  jobs?: any;
  /** The input of each workflow. */
  // deno-lint-ignore no-explicit-any
  workflows?: any;
  /** The payload of each event. */
  // deno-lint-ignore no-explicit-any
  events?: any;
}

/** The names and payloads of one kind in a schema. */
export type Named<S extends Schema, Kind extends keyof Schema> = S[Kind] extends object ? S[Kind]
  : Record<string, unknown>;

/** The names of one kind in a schema. */
export type NameOf<S extends Schema, Kind extends keyof Schema> =
  & keyof Named<S, Kind>
  & string;

/** What follows a name in a call: a payload that may be nothing can be left out. */
export type Given<P, O> = undefined extends P ? [payload?: P, options?: O]
  : [payload: P, options?: O];
