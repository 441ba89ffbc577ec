import { Buffer } from "node:buffer";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** An object of the API. */
// deno-lint-ignore no-explicit-any
export type Resource = any;

const TOKEN = "admin";
const PORT = 16_443;
const URL = `https://127.0.0.1:${PORT}`;

/** Builds the program of the control plane, which takes some minutes the first time. */
export function build(folder: string): string {
  const program = join(folder, "controlplane");
  if (existsSync(program)) return program;
  const source = join(folder, "source");
  cpSync(join(import.meta.dirname!, "control_plane"), source, { recursive: true });
  for (const args of [["mod", "tidy"], ["build", "-buildvcs=false", "-o", program, "."]]) {
    const { status } = spawnSync("go", args, { cwd: source, stdio: "inherit" });
    if (status !== 0) throw new Error(`go ${args[0]} failed`);
  }
  return program;
}

/** A control plane of Kubernetes without nodes: etcd, the API server and the controllers. */
export class ControlPlane implements AsyncDisposable {
  readonly #children: ReturnType<typeof spawn>[] = [];
  readonly #folder: string;
  readonly #program: string;

  private constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  /** Starts it with an empty store. */
  static async start(program: string, folder: string): Promise<ControlPlane> {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const plane = new ControlPlane(program, folder);
    const shell = (line: string) => spawnSync("sh", ["-c", line], { cwd: folder });
    shell("openssl genrsa -out sa.key 2048 && openssl rsa -in sa.key -pubout -out sa.pub");
    writeFileSync(join(folder, "tokens.csv"), `${TOKEN},admin,1,"system:masters"\n`);
    writeFileSync(
      join(folder, "kubeconfig"),
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "c", cluster: { server: URL, "insecure-skip-tls-verify": true } }],
        users: [{ name: "u", user: { token: TOKEN } }],
        contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
        "current-context": "x",
      }),
    );
    plane.#run("etcd", "etcd");
    await delay(2_000);
    plane.#run(
      "apiserver",
      "--etcd-servers=http://127.0.0.1:2379",
      `--secure-port=${PORT}`,
      "--cert-dir=certs",
      "--token-auth-file=tokens.csv",
      "--service-account-issuer=https://kubernetes",
      "--service-account-key-file=sa.pub",
      "--service-account-signing-key-file=sa.key",
      "--service-cluster-ip-range=10.0.0.0/24",
      "--authorization-mode=RBAC",
      "--disable-admission-plugins=ServiceAccount",
    );
    await until("the API server is ready", async () => {
      try {
        return await plane.call("GET", "/readyz") === "ok";
      } catch {
        return false;
      }
    });
    plane.#run(
      "controllers",
      "--kubeconfig=kubeconfig",
      "--controllers=job-controller,cronjob-controller,deployment-controller,replicaset-controller",
      "--leader-elect=false",
      "--service-account-private-key-file=sa.key",
      "--secure-port=0",
    );
    return plane;
  }

  /** Sends a request to the API. */
  call(method: string, path: string, body?: unknown, type = "application/json"): Promise<Resource> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? "" : JSON.stringify(body);
      const headers = {
        Authorization: `Bearer ${TOKEN}`,
        "Content-Type": type,
        // Node sends none by itself with `DELETE`, and the body would be the next request.
        "Content-Length": Buffer.byteLength(text),
      };
      const sent = request(URL + path, { method, headers, rejectUnauthorized: false }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part) => text += part).on("end", () => {
          if (answer.statusCode! >= 300) reject(new Error(`${method} ${path}: ${text}`));
          else resolve(text.startsWith("{") ? JSON.parse(text) : text);
        });
      });
      sent.on("error", reject);
      sent.end(text);
    });
  }

  /**
   * Creates an object in the namespace `default`.
   * @param path Where, if that does not follow from its kind.
   */
  async create(object: Resource, path?: string): Promise<Resource> {
    return await this.call("POST", collection(object, path), object);
  }

  /** Changes an object to what a manifest says now. */
  async apply(object: Resource): Promise<void> {
    const path = `${collection(object)}/${object.metadata.name}`;
    await this.call("PATCH", path, object, "application/merge-patch+json");
  }

  /** Returns a job. */
  async job(name: string): Promise<Resource> {
    return await this.call("GET", `/apis/batch/v1/namespaces/default/jobs/${name}`);
  }

  /** Returns all pods. */
  async pods(): Promise<Resource[]> {
    return (await this.call("GET", "/api/v1/namespaces/default/pods")).items;
  }

  /** Ends all processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.toReversed()) {
      child.kill();
      await delay(200);
    }
  }

  #run(...args: string[]): void {
    const log = openSync(join(this.#folder, `${args[0]}.log`), "w");
    const stdio = ["ignore", log, log] as const;
    this.#children.push(spawn(this.#program, args, { cwd: this.#folder, stdio: [...stdio] }));
  }
}

function collection({ apiVersion, kind }: Resource, path = `${kind.toLowerCase()}s`): string {
  const base = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
  return `${base}/namespaces/default/${path}`;
}

/** Waits for a condition, for at most a minute and a half. */
export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 180; i++) {
    if (await isTrue()) return;
    await delay(500);
  }
  process.stderr.write(`Waited in vain: ${what}\n`);
  throw new Error(`Waited in vain: ${what}`);
}
