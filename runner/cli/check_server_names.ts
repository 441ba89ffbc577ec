import { suggest } from "../../runtime/suggest.ts";
import { literal, type Template } from "../expression/template.ts";
import { type Diagnostic, Diagnostics } from "../language/diagnostic.ts";
import type { DiagnosticCode } from "../language/codes.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { Node } from "../language/node.ts";
import { nodeOf } from "../language/read_template.ts";
import { Source, type Span } from "../language/source.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import type { NamedRequest } from "../steps/context.ts";
import { withNested } from "../steps/step_kinds.ts";

type WorkloadDescription = import("../../dev/describe_workload.ts").WorkloadDescription;
type StandardSchema = import("../../dev/mod.ts").StandardSchema;

/** How many problems of one payload are reported. */
const MAX_ISSUES = 10;
/** How many names a hint lists. */
const MAX_NAMES = 12;

/** The server that recipes will run against. */
export interface KnownServer {
  /** What it knows. */
  workload: WorkloadDescription;
  /** The file of its jobs and workflows; absent for the reference workload. */
  dev: string | undefined;
  /**
   * Whether the recipes may be meant for another server, because the command line names none. Then
   * only those are checked whose names are known, or misspelt.
   */
  isAssumed: boolean;
}

/** Finds names in recipes that a server does not know, and payloads that its schemas refuse. */
export async function checkNames(
  recipes: readonly Recipe[],
  server: KnownServer,
): Promise<Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const recipe of withUsed(recipes)) {
    const check = new NameCheck(recipe.source, await writtenSteps(recipe), server);
    if (!server.isAssumed || check.isMeant()) found.push(...await check.run());
  }
  return found;
}

/** Returns the steps of a recipe with those inside them; of one in TypeScript, those written in it. */
export async function writtenSteps(recipe: Recipe): Promise<Step[]> {
  if (!recipe.script) return withNested([...recipe.steps, ...recipe.always]);
  return (await import("../script/written_steps.ts")).writtenSteps(recipe);
}

/** The codes of names that a server needs, whatever comes with them. */
const NO_NAME: ReadonlySet<string> = new Set(["unknown-job", "unknown-workflow"]);

/** Returns why a server cannot do what a request asks for that is known only in a run. */
export async function requestProblem(
  server: KnownServer,
  request: NamedRequest,
): Promise<string | undefined> {
  const check = new NameCheck(new Source("", ""), stepsOf(request), server);
  const isName = !["payload", "input", "until_step", "publish"].some((key) => key in request);
  const isAsked = (code: DiagnosticCode) =>
    // The input was checked when the run started.
    "until_step" in request ? code === "unknown-checkpoint" : !isName || NO_NAME.has(code);
  const problem = (await check.run()).find(({ code }) => isAsked(code));
  if (!problem) return undefined;
  const { message, label } = problem;
  return label === undefined ? message : `${message}; ${label}`;
}

/** Returns the steps of a recipe that would send a request. */
function stepsOf(request: NamedRequest): Step[] {
  const { payload, input, ...names } = { payload: null, input: {}, ...request };
  const { start, until_step, ...own } = Object.fromEntries(
    Object.entries(names).map(([key, name]) => [key, literal(name)]),
  );
  const step = (kind: string, fields: unknown): Step => ({
    ...{ kind, fields, id: kind, number: "", phase: "steps", soft: false },
    span: { start: 0, end: 0 },
  });
  if ("enqueue" in own) return [step("enqueue", { ...own, payload: literal(payload) })];
  if ("publish" in own) return [step("publish", own)];
  if (until_step) {
    return [step("start", { start }), step("wait", { wait: { step: "start" }, until_step })];
  }
  return [step("start", { start, input: literal(input) })];
}

/** A name that a step of a recipe has as a literal. */
interface Written {
  name: string;
  place: Span;
}

class NameCheck {
  readonly #server: KnownServer;
  readonly #steps: Step[];
  readonly #diagnostics: Diagnostics;

  constructor(source: Source, steps: Step[], server: KnownServer) {
    this.#server = server;
    this.#steps = steps;
    this.#diagnostics = new Diagnostics(source);
  }

  /** Whether the recipe names only jobs and workflows that the server knows, or almost. */
  isMeant(): boolean {
    const { workload: { jobs, workflows } } = this.#server;
    const known = [...jobs, ...workflows];
    return this.#steps.filter(({ kind }) => kind === "enqueue" || kind === "start")
      .every((step) => {
        const written = literalName(step.fields[step.kind], step);
        return !written || known.includes(written.name) || suggest(written.name, known);
      });
  }

  async run(): Promise<Diagnostic[]> {
    for (const step of this.#steps) {
      if (step.kind === "enqueue") await this.#checkEnqueue(step);
      else if (step.kind === "start") await this.#checkStart(step);
      else if (step.kind === "publish") await this.#checkPublish(step);
      else if (step.kind === "wait") await this.#checkWait(step);
    }
    return this.#diagnostics.all();
  }

  async #checkEnqueue(step: Step): Promise<void> {
    const { workload } = this.#server;
    const { enqueue, payload, queue } = step.fields;
    const job = literalName(enqueue, step);
    if (job && this.#isKnown("job", job)) {
      await this.#checkValue(workload.payloadOf(job.name), payload, null, job, "payload");
    }
    const written = literalName(queue, step);
    if (!written || workload.queues.includes(written.name)) return;
    this.#report("unknown-queue", written, `no worker reads queue \`${written.name}\``, {
      known: workload.queues,
      hint: (names) => `the workers of ${this.#who} read ${names}`,
    });
  }

  async #checkStart(step: Step): Promise<void> {
    const { start, input } = step.fields;
    const workflow = literalName(start, step);
    if (!workflow || !this.#isKnown("workflow", workflow)) return;
    const schema = this.#server.workload.inputOf(workflow.name);
    await this.#checkValue(schema, input, {}, workflow, "input");
  }

  async #checkPublish(step: Step): Promise<void> {
    const event = literalName(step.fields.publish, step);
    const known = event && await this.#server.workload.eventsWithout(event.name);
    if (!known) return;
    const message = `no workflow of ${this.#who} waits for event \`${event.name}\``;
    this.#report("unknown-event", event, message, {
      known,
      hint: (names) => `they wait for ${names}`,
    });
  }

  async #checkWait({ fields: { wait, until_step } }: Step): Promise<void> {
    if (wait.step === undefined) return;
    const step = this.#steps.find(({ id, kind }) => id === wait.step && kind === "start");
    const workflow = step && literalName(step.fields.start, step);
    const checkpoint = until_step && literalName(until_step, step!);
    if (!workflow || !checkpoint) return;
    const known = await this.#server.workload
      .checkpointsWithout(workflow.name, checkpoint.name);
    if (!known || !this.#server.workload.workflows.includes(workflow.name)) return;
    const message = `workflow \`${workflow.name}\` has no step \`${checkpoint.name}\``;
    this.#report("unknown-checkpoint", checkpoint, message, {
      known: known.filter((name) => !name.startsWith("compensate:")),
      hint: (names) => `it has ${names}`,
    });
  }

  #isKnown(kind: "job" | "workflow", { name, place }: Written): boolean {
    const { jobs, workflows } = this.#server.workload;
    const [known, others] = kind === "job" ? [jobs, workflows] : [workflows, jobs];
    if (known.includes(name)) return true;
    this.#report(`unknown-${kind}`, { name, place }, `${this.#who} has no ${kind} \`${name}\``, {
      known,
      hint: (names) =>
        others.includes(name)
          ? kind === "job" ? "it is a workflow: use `start`" : "it is a job: use `enqueue`"
          : `it has ${names}${this.#server.dev === undefined ? "; `--dev FILE` has your own" : ""}`,
    });
    return false;
  }

  /** Checks a payload or input that contains no expression. */
  async #checkValue(
    schema: StandardSchema | undefined,
    template: Template | undefined,
    fallback: unknown,
    { name, place }: Written,
    what: "payload" | "input",
  ): Promise<void> {
    if (!schema || (template && template.kind !== "literal")) return;
    const node = template && nodeOf(template);
    for (const { message, path } of await issuesOf(schema, template ? template.value : fallback)) {
      const where = path.length === 0 ? "" : `${path.join(".")}: `;
      const problem = `\`${name}\` refuses ${template ? "this" : "a step without"} ${what}`;
      this.#diagnostics.error(
        "refused-payload",
        (node && nodeAt(node, path)) ?? place,
        `${problem}: ${where}${message}`,
      );
    }
  }

  #report(
    code: DiagnosticCode,
    { name, place }: Written,
    message: string,
    { known, hint }: { known: readonly string[]; hint: (names: string) => string },
  ): void {
    const meant = suggest(name, known);
    const label = meant === undefined ? hint(listNames(known)) : `did you mean \`${meant}\`?`;
    this.#diagnostics.error(code, place, message, { label });
  }

  get #who(): string {
    const { dev } = this.#server;
    return dev === undefined ? "the embedded server" : `\`${dev}\``;
  }
}

function listNames(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, MAX_NAMES).map((one) => `\`${one}\``).join(", ");
  return names.length > MAX_NAMES ? `${shown}, …` : shown;
}

/** Returns the name that a step has as a literal, if it has one. */
export function literalName(
  template: Template | undefined,
  step: Step,
): Written | undefined {
  if (template?.kind !== "literal") return undefined;
  return { name: String(template.value), place: nodeOf(template) ?? step.span };
}

interface Issue {
  message: string;
  path: string[];
}

/** Returns why a schema refuses a value. */
async function issuesOf(schema: StandardSchema, value: unknown): Promise<Issue[]> {
  try {
    // The schema may change what it gets.
    const { issues = [] } = await schema["~standard"].validate(structuredClone(value));
    return issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
      message: message.split("\n")[0]!,
      path: path.map((part) => String(typeof part === "object" ? part.key : part)),
    }));
  } catch (error) {
    return [{ message: (error as Error).message, path: [] }];
  }
}

/** Returns the part of a node at a path, or the last part on the way that exists. */
function nodeAt(node: Node, path: readonly string[]): Span {
  let at = node;
  for (const key of path) {
    const next = at.kind === "list"
      ? at.items[Number(key)]
      : at.kind === "map"
      ? at.entries.find((entry) => entry.key === key)?.value
      : undefined;
    if (!next) break;
    at = next;
  }
  return at;
}
