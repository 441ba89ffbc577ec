/**
 * The jobs, workflows and events that a server knows, by name. A client with definitions turns a
 * wrong name or payload into a compile error; a kind that is left out allows any name.
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

/** The payloads of one kind of definition, by name. */
export type DefinitionsOf<D extends Definitions, Kind extends keyof Definitions> = D[Kind] extends
  object ? D[Kind]
  : Record<string, unknown>;

/** The names of one kind of definition. */
export type DefinitionName<D extends Definitions, Kind extends keyof Definitions> =
  & keyof DefinitionsOf<D, Kind>
  & string;

/** The arguments of a call after the name. A payload that may be `undefined` can be left out. */
export type CallArgs<Payload, Options> = undefined extends Payload
  ? [payload?: Payload, options?: Options]
  : [payload: Payload, options?: Options];
