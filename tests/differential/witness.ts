import type { Store } from "../../dev/mod.ts";
import { Dispatch, type DispatchEvent, type JobRecord, type WorkflowRun } from "../../mod.ts";
import { isTerminal } from "../../protocol/mod.ts";
import { keyOf, Model } from "../simulation/model.ts";
import type { Records } from "../simulation/rules.ts";

/** A client that takes no part, and what it saw of a program. */
export class Witness implements AsyncDisposable {
  readonly model = new Model();
  readonly store = new Snapshot();
  /** Whether it missed events. */
  isBlind = false;
  readonly #client: Dispatch;

  private constructor(client: Dispatch) {
    this.#client = client;
    // The model's stores belong to embedded servers; the rules need less of them.
    this.model.stores.push(this.store as Records as Store);
  }

  static async open(url: string): Promise<Witness> {
    const witness = new Witness(await Dispatch.connect({ url, token: "demo-token" }));
    const events = await witness.#client.subscribe("firehose");
    void (async () => {
      for await (const item of events) {
        if (item.type === "gap") witness.isBlind = true;
        else witness.#note(item);
      }
    })();
    return witness;
  }

  /** Reads the records of the jobs and runs that the clients made. */
  async read(ids: Iterable<string>): Promise<void> {
    const all = new Set(ids);
    for (const { event: { type, topic } } of this.model.published) {
      const isNew = type === "job.enqueued" || type === "workflow.started";
      if (isNew) all.add(topic.slice(topic.indexOf(":") + 1));
    }
    const { jobRecords, runRecords } = this.store;
    await Promise.all([...all].map(async (id) => {
      if (id.startsWith("job_")) jobRecords.set(id, await this.#client.getJob(id));
      else runRecords.set(id, await this.#client.getWorkflow(id));
    }));
  }

  /** Cancels the jobs that no worker knows, which would begin again and again. */
  async end(): Promise<void> {
    for (const { id, state, name } of this.store.jobs()) {
      if (name === "nobody" && !isTerminal(state)) await this.#client.cancelJob(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  #note(event: DispatchEvent): void {
    const { published, byKey } = this.model;
    const at = Date.parse(event.ts);
    const nobody = new Map();
    const seen = { order: published.length, at, node: 0, event, sessions: nobody, absent: nobody };
    published.push(seen);
    const key = keyOf(event);
    byKey.set(key, [...byKey.get(key) ?? [], seen]);
  }
}

/** The records that were read from a server. */
class Snapshot implements Records {
  readonly jobRecords = new Map<string, JobRecord>();
  readonly runRecords = new Map<string, WorkflowRun>();
  readonly job = (id: string) => this.jobRecords.get(id);
  readonly run = (id: string) => this.runRecords.get(id);
  readonly jobs = () => [...this.jobRecords.values()];
  readonly runs = () => [...this.runRecords.values()];
}
