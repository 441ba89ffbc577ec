import { deepEqual, equal, match, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { join } from "node:path";
import type { HealthStore } from "../../runner/health/health_store.ts";
import type { Check, Waiting } from "../../runner/health/model.ts";
import { HistoryError, historyError } from "../../runner/history/error.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { ALERTING, KEY, runAt, Stores } from "./_health.ts";

/** Another process that holds the file. */
class Holder implements Disposable {
  #database: DatabaseSync;

  /** @param isReadable Whether others can read the file meanwhile. */
  constructor({ path }: { path: string }, isReadable: boolean) {
    this.#database = new DatabaseSync(path);
    const mode = isReadable ? "" : "PRAGMA locking_mode = EXCLUSIVE; ";
    this.#database.exec(`${mode}BEGIN EXCLUSIVE`);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/** A schedule that is stopped and started, and what its target is told. */
class Scene {
  readonly stores: Stores;
  readonly told: string[] = [];
  rules = ALERTING.rules;
  #store!: HealthStore;
  #check!: Check;

  constructor(stores: Stores) {
    this.stores = stores;
  }

  get store(): HealthStore {
    return this.#store;
  }

  async start(): Promise<void> {
    this.#store = await this.stores.open();
    this.#check = this.#store.register(KEY);
  }

  stop(): void {
    this.stores.close(this.#store);
  }

  /** Runs the check, and tells the target unless it is down. */
  runs(results: string, isDown = false): void {
    for (const result of results) {
      const { clock } = this.stores;
      clock.advance(1_000);
      const run = runAt(clock.now(), result === "+");
      this.#store.record(this.#check, run, { ...ALERTING, rules: this.rules });
      if (!isDown) this.deliver();
    }
  }

  take(): Waiting | undefined {
    const next = this.#store.next("ops");
    return next && "send" in next ? next.send : undefined;
  }

  deliver(): void {
    for (let sent = this.take(); sent; sent = this.take()) this.arrive(sent);
  }

  /** An attempt to tell the target arrives. */
  arrive(sent: Waiting): void {
    this.#store.settle(sent, "done");
    this.told.push(`${sent.notice.kind} ${this.#name(sent.notice.incident)}`);
  }

  async catchUp(): Promise<void> {
    this.stores.clock.advance(10_000);
    equal(await this.#store.retry(), true);
    this.deliver();
  }

  /** The runs and open incidents in the file, as a later process finds them. */
  async recorded(): Promise<{ runs: string; open: number; closed: number }> {
    this.stop();
    await this.start();
    const runs = this.#store.runs(this.#check.id, 100).reverse();
    const all = this.#store.incidents(10);
    const open = all.filter(({ resolvedAt }) => resolvedAt === undefined).length;
    return {
      runs: runs.map(({ verdict }) => verdict === "passed" ? "+" : "-").join(""),
      ...{ open, closed: all.length - open },
    };
  }

  /** Incidents are named by the order in which the target hears of them. */
  #name(incident: string): string {
    if (!this.#names.includes(incident)) this.#names.push(incident);
    return "ABCD"[this.#names.indexOf(incident)]!;
  }
  #names: string[] = [];
}

/** Starts while another process holds the file, after some runs. */
async function started(
  stores: Stores,
  before: string,
  { isReadable = false, rules = ALERTING.rules } = {},
): Promise<{ scene: Scene; holder: Holder }> {
  const scene = new Scene(stores);
  scene.rules = rules;
  await scene.start();
  scene.runs(before);
  scene.stop();
  const holder = new Holder(stores, isReadable);
  await scene.start();
  match(scene.store.problem!, /database is locked$/);
  equal(stores.warnings.length, 1, stores.warnings.join("\n"));
  match(stores.warnings[0]!, /database is locked; checks go on/);
  equal(/may be raised again$/.test(stores.warnings[0]!), !isReadable);
  return { scene, holder };
}

const THREE = { after: 3, resolveAfter: 1 };

/** The runs before, those while the file is held and those after; and what the target is told by then. */
const CASES: [
  what: string,
  runs: [before: string, held: string, after: string],
  told: [held: string, caughtUp: string, after: string],
  more?: { isReadable?: boolean; rules?: typeof THREE; isDown?: boolean },
][] = [
  ["raised before and mended meanwhile", ["-", "++", "+"], ["", "resolved A", ""]],
  ["the same, in a file that can be read", ["-", "++", "+"], ["resolved A", "", ""], {
    isReadable: true,
  }],
  ["raised before and still failing", ["-", "--", "+"], [
    "raised B",
    "",
    "resolved A, resolved B",
  ]],
  ["the same, in a file that can be read", ["-", "--", "+"], ["", "", "resolved A"], {
    isReadable: true,
  }],
  ["the same, with a target that is down", ["-", "--", "+"], ["", "", "resolved A"], {
    isDown: true,
  }],
  ["not raised before and failing", ["+", "--", "+"], ["raised A", "", "resolved A"]],
  ["the same, in a file that can be read", ["+", "--", "+"], ["raised A", "", "resolved A"], {
    isReadable: true,
  }],
  ["never run before and failing", ["", "--", "-+"], ["raised A", "", "resolved A"]],
  ["raised again after it was mended", ["-", "-+-", "+"], [
    "raised B, resolved B, raised C",
    "resolved A",
    "resolved C",
  ]],
  ["raised and mended meanwhile, with a target that is down", ["-", "-+", "+"], [
    "",
    "resolved A",
    "",
  ], { isDown: true }],
  ["failures before and after the start together", ["--", "-", "+"], [
    "",
    "raised A",
    "resolved A",
  ], { rules: THREE }],
  ["failures before the start, and enough after it", ["--", "---", "+"], [
    "raised A",
    "",
    "resolved A",
  ], { rules: THREE }],
];

for (const [what, [before, held, after], told, { isDown, ...more } = {}] of CASES) {
  test(`a schedule that starts while its history is held: ${what}`, async () => {
    await using stores = await Stores.create();
    const { scene, holder } = await started(stores, before, more);
    const since = () => scene.told.splice(0).join(", ");
    since();
    scene.runs(held, isDown);
    equal(since(), told[0], "while it is held");
    holder[Symbol.dispose]();
    await scene.catchUp();
    equal(since(), told[1], "after it");
    equal(stores.warnings.length, 2);
    scene.runs(after);
    equal(since(), told[2], "later");
    const { runs, open } = await scene.recorded();
    deepEqual({ runs, open }, { runs: before + held + after, open: 0 });
    scene.runs("-".repeat(scene.rules.after));
    match(since(), /^raised .$/, "the next one is a new one");
  });
}

test("a notice that is just being sent while the history catches up has its end, too", async () => {
  await using stores = await Stores.create();
  const { scene, holder } = await started(stores, "-");
  scene.runs("-", true);
  const sent = scene.take()!;
  holder[Symbol.dispose]();
  stores.clock.advance(10_000);
  await scene.store.retry();
  scene.arrive(sent);
  scene.runs("+");
  deepEqual(scene.told.toSorted(), ["raised A", "raised B", "resolved A", "resolved B"]);
});

test("a schedule that dies while its history is held leaves the file as it was", async () => {
  await using stores = await Stores.create();
  const { scene, holder } = await started(stores, "-");
  scene.runs("+");
  scene.stop();
  match(stores.warnings[1]!, /what was kept in memory is lost$/);
  holder[Symbol.dispose]();
  await scene.start();
  const { runs, open } = await scene.recorded();
  deepEqual({ runs, open }, { runs: "-", open: 1 });
  scene.runs("+");
  deepEqual(scene.told, ["raised A", "resolved A"]);
});

test("an alert of a recipe that is gone is known once the file can be read", async () => {
  await using stores = await Stores.create();
  const scene = new Scene(stores);
  await scene.start();
  scene.runs("-");
  scene.stop();
  const holder = new Holder(stores, false);
  const store = await stores.open();
  const other = store.register({ ...KEY, file: "other.yaml" });
  // Until then, another check may have its address.
  equal(other.id, "order-smoke");
  deepEqual(store.unregistered(), []);
  store.record(other, runAt(stores.clock.now(), true), ALERTING);
  holder[Symbol.dispose]();
  stores.clock.advance(10_000);
  ok(await store.retry());
  deepEqual(store.unregistered().map(({ check }) => check.file), ["smoke.yaml"]);
  equal(store.runs(other.id, 10).length, 1);
});

test("what may be mended is known from what is another kind of file", () => {
  const mayPass = (text: string) => historyError("open", "h.db", new Error(text)).mayPass;
  const passing = [
    ...["database is locked", "database or disk is full", "disk I/O error"],
    ...["attempt to write a readonly database", "unable to open database file"],
    ...["Cannot create directory 'a': permission denied", "EACCES: permission denied, open 'h.db'"],
    ...["Cannot create directory 'a': the file system is read-only"],
  ];
  for (const text of passing) ok(mayPass(text), text);
  for (const text of ["it is a directory", "file is not a database", "a part of the path is"]) {
    equal(mayPass(text), false, text);
  }
  equal(new HistoryError("foreign", "Cannot open 'disk is full'").mayPass, false);
});

test("`schedule` says that it starts in memory, and writes all of it as soon as it can", async () => {
  const recipe = `name: Smoke\nschedule: { cron: "* * * * * *" }\nalert: { after: 1 }\n` +
    `steps: [{ assert: "false" }]\n`;
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const path = join(directory, "health.db");
    new DatabaseSync(path).close();
    const holder = new Holder({ path }, false);
    const stop = new AbortController();
    const { code, out } = await runnerCli(
      ["schedule", directory, "--history", path, "--log", "json"],
      {
        signal: stop.signal,
        onOut: (text) => {
          if (text.includes('"raised"')) holder[Symbol.dispose]();
          if (text.includes("can be written again")) stop.abort();
        },
      },
    );
    equal(code, 0);
    const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    const warnings = lines.filter(({ level }) => level === "warn").map(({ message }) => message);
    equal(warnings.length, 2, warnings.join("\n"));
    match(warnings[0], /^Cannot open history '.*': database is locked; checks go on in memory/);
    equal(lines.filter(({ event }) => event === "raised").length, 1);
    const database = new DatabaseSync(path);
    const count = (table: string) =>
      Object.values(database.prepare(`SELECT count(*) FROM ${table}`).get()!)[0] as number;
    const finished = lines.findIndex(({ message }) => /written again/.test(message));
    const runs = lines.slice(0, finished).filter(({ event }) => event === "finished").length;
    ok(count("health_run") >= runs && runs > 0);
    equal(count("health_incident"), 1);
    database.close();
  });
});
