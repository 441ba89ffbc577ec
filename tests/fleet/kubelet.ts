import { setTimeout as delay } from "node:timers/promises";
import type { ControlPlane, Resource } from "./control_plane.ts";
import { Pod } from "./pod.ts";

/** What a stand-in for the kubelet needs. */
export interface KubeletOptions {
  /** The command that stands for the image's entry point. */
  command: readonly string[];
  /** A directory for the volumes. */
  folder: string;
  /** The values of secrets, by `name/key`. */
  secrets: Record<string, string>;
  /** Changes the variables of a pod, or says that it is to be evicted after some milliseconds. */
  disturb?(pod: Resource): { env?: Record<string, string>; evictAfter?: number } | undefined;
}

/** Runs pods as processes, as the kubelet of a node would, and reports how they do. */
export class Kubelet implements AsyncDisposable {
  readonly #plane: ControlPlane;
  readonly #options: KubeletOptions;
  readonly #pods = new Map<string, Pod>();
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;

  /** Starts to look for pods. */
  constructor(plane: ControlPlane, options: KubeletOptions) {
    this.#plane = plane;
    this.#options = options;
    this.#watching = this.#watch();
  }

  /** The pods whose processes run. */
  get running(): Pod[] {
    return [...this.#pods.values()].filter(({ isRunning }) => isRunning);
  }

  /** Looks for no more pods, and ends those that run. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    for (const pod of this.running) await pod.end();
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      for (const object of await this.#plane.pods()) {
        const { uid, deletionTimestamp } = object.metadata;
        const known = this.#pods.get(uid);
        if (known && deletionTimestamp !== undefined) known.delete();
        else if (known) await known.refresh();
        else if (object.status.phase === "Pending") {
          const pod = new Pod(this.#plane, object, this.#options);
          this.#pods.set(uid, pod);
          await pod.start();
        }
      }
      await delay(100);
    }
  }
}
