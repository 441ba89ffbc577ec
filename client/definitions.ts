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
export interface Definitions {
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
export type DefinitionsOf<D extends Definitions, Kind extends keyof Definitions> = D[Kind] extends
  object ? D[Kind]
  : Record<string, unknown>;

/** The names of one kind in a schema. */
export type DefinitionName<D extends Definitions, Kind extends keyof Definitions> =
  & keyof DefinitionsOf<D, Kind>
  & string;

/** What follows a name in a call: a payload that may be nothing can be left out. */
export type CallArgs<P, O> = undefined extends P ? [payload?: P, options?: O]
  : [payload: P, options?: O];
