import type { DispatchOptions } from "../../mod.ts";
import type { Frame, ScriptedPeer } from "../../testing/mod.ts";
import { type Faulty, scripted } from "./peers.ts";
import { runRecord, serve } from "./scripts.ts";

/** A run of a {@linkcode WorkflowServer}. */
export interface ScriptedRun {
  id: string;
  name: string;
  /** The text of the input, as it arrived. */
  input: string;
  /** The connection that it was started on. */
  lane: ScriptedPeer;
  /** Answers the start. */
  end(state?: string): void;
}

/** A client of a server whose runs begin, are described and end when the test says so. */
export interface WorkflowServer extends Faulty {
  /** The runs, in the order in which their starts arrived. */
  runs: ScriptedRun[];
  /** The connections that are subscribed to `workflows`. */
  subscribed: Set<ScriptedPeer>;
  /** Every connection, the control link first. */
  peers: readonly ScriptedPeer[];
  /** Publishes an event of a run to every subscribed connection. */
  publish(run: ScriptedRun, type?: string, data?: Record<string, unknown>): void;
}

/** Handles a request; returns `true` if the server shall not answer it. */
export type Handle = (request: Frame, peer: ScriptedPeer) => boolean | void;

/** Starts a server that runs workflows, and connects a client on a fake clock to it. */
export async function workflowServer(
  handle: Handle = () => false,
  options: Partial<DispatchOptions> = {},
): Promise<WorkflowServer> {
  const runs: ScriptedRun[] = [];
  const subscribed = new Set<ScriptedPeer>();
  const it = await scripted((peer) =>
    serve(peer, (request) => {
      if (handle(request, peer)) return true;
      const data = request.data as Record<string, string>;
      if (request.method === "subscribe" && data.channel === "workflows") subscribed.add(peer);
      if (request.method === "unsubscribe" && data.channel === "workflows") subscribed.delete(peer);
      if (request.method === "workflow.get") {
        const run = runs.find(({ id }) => id === data.run_id)!;
        const input = new TextEncoder().encode(run.input);
        const more = { id: run.id, name: run.name, input: btoa(String.fromCharCode(...input)) };
        peer.answer(request, runRecord("running", more));
        return true;
      }
      if (request.method !== "workflow.start") return false;
      const text = (peer.received as string[]).findLast((each) => each.includes("workflow.start"))!;
      const id = `wfrun_${runs.length}`;
      runs.push({
        id,
        name: data.name!,
        input: /"input":(.*)\}\}$/s.exec(text)![1]!,
        lane: peer,
        end: (state = "completed") => peer.answer(request, { run_id: id, name: data.name, state }),
      });
      return true;
    }), options);
  return {
    ...it,
    runs,
    subscribed,
    peers: it.server.peers,
    publish({ id, name }, type = "workflow.started", data = {}) {
      for (const peer of subscribed) {
        peer.publish(type, `workflow:${id}`, { run_id: id, name, ...data });
      }
    },
    [Symbol.asyncDispose]: it[Symbol.asyncDispose],
  };
}
