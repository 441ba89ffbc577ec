import { readTextFile } from "../../../runtime/file.ts";
import { didYouMean } from "../../../runtime/suggest.ts";
import { loadCel } from "../../expression/cel.ts";
import type { Template } from "../../expression/template.ts";
import type { CelType, RecordType } from "../../expression/types.ts";
import { type Diagnostic, Diagnostics } from "../../language/diagnostic.ts";
import {
  custom,
  type Fields,
  oneOrMore,
  readFields,
  record,
  required,
} from "../../language/field.ts";
import type {
  AlertPlan,
  Declared,
  HeartbeatPlan,
  Maintenance,
  Receiver,
  Recipe,
} from "../../language/model.ts";
import type { Entry, Node } from "../../language/node.ts";
import { ParseContext } from "../../language/parse_context.ts";
import { Source, type Span } from "../../language/source.ts";
import { fixedText, integer } from "../../language/value_fields.ts";
import { MAX_BYTES, readYaml } from "../../language/yaml.ts";
import { NOTICE_RECORD } from "../../notify/message.ts";
import type { TargetKind } from "../../notify/target.ts";
import { TARGET_KINDS } from "../../notify/targets/target_kinds.ts";
import { mail } from "../../notify/targets/mail.ts";
import { checkExpressions } from "../../recipe/check_expressions.ts";
import { Guards, type Known } from "../../recipe/check_references.ts";
import { ALERT_FIELDS, isMailAddress, isTargetName, readAlert } from "../../recipe/read_alert.ts";
import { readHeartbeat } from "../../recipe/read_heartbeat.ts";
import { readMaintenances } from "../../recipe/read_schedule.ts";
import { RECIPE_FIELDS } from "../../recipe/recipe_fields.ts";

/** A target as the settings describe it. */
export interface TargetPlan {
  /** Its kind. */
  kind: TargetKind;
  /** The values of its keys. */
  values: Record<string, unknown>;
  /** Where it is written. */
  span: Span;
}

/** Recipes with these tags have further receivers. */
export interface Route {
  /** The tags: a recipe that has one of them has the receivers. */
  tags: readonly string[];
  /** The receivers. */
  to: readonly Receiver[];
}

/** The settings of a schedule. */
export interface HealthSettings {
  /** The file. */
  source: Source;
  /** Environment variables whose values are masked. */
  secrets: Declared[];
  /** What recipes do not say about their alerts. */
  defaults: AlertPlan;
  /** Further receivers by tag. */
  routes: readonly Route[];
  /** The targets by their names. */
  targets: ReadonlyMap<string, TargetPlan>;
  /** The mail server for receivers that are mail addresses. */
  mail?: TargetPlan;
  /** Whom the schedule itself tells that it still runs. */
  heartbeat?: HeartbeatPlan;
  /** Times at which no recipe runs on its own. */
  maintenance: readonly Maintenance[];
  /** How many recipes run at the same time. */
  parallel?: Template;
}

/** The type of `notice` in expressions. */
const NOTICE: CelType = "NoticeResult_body";

const anyNode = (description: string) => custom<Node>(description, {}, (node) => node);

/** The keys of the settings. */
const SETTINGS_FIELDS = {
  secrets: RECIPE_FIELDS.secrets,
  defaults: anyNode("What recipes do not say in their own `alert`."),
  routes: custom<Node>("Further receivers by tag.", {}, (node) => node),
  targets: anyNode("Whom alerts can be sent to, by names."),
  mail: anyNode("The mail server for receivers that are mail addresses."),
  heartbeat: anyNode("Whom the schedule itself tells that it still runs."),
  maintenance: anyNode("Times at which no recipe runs on its own."),
  parallel: integer("How many recipes run at the same time; 10 by default.", { minimum: 1 }),
} satisfies Fields;

const ROUTE = record("A route.", {
  tags: required(oneOrMore(fixedText("A tag."))),
  to: required(ALERT_FIELDS.to),
}, "a route");

/** What was read, with what is wrong with it. */
export interface ReadSettings {
  /** The settings; absent if there are errors. */
  settings?: HealthSettings;
  /** The errors and warnings. */
  diagnostics: Diagnostic[];
}

/**
 * Reads and checks the file of a schedule's settings.
 * @throws {FileError}
 */
export async function readSettings(path: string): Promise<ReadSettings> {
  const diagnostics = new Diagnostics(
    new Source(path, await readTextFile(path, "settings", MAX_BYTES)),
  );
  const root = await readYaml(diagnostics);
  const context = new ParseContext(diagnostics);
  const settings = root?.kind === "map" ? await readRoot(root, context) : undefined;
  if (!root && !diagnostics.failed) {
    diagnostics.error("wrong-type", { start: 0, end: 1 }, "the file is empty; settings are a map");
  }
  if (root && root.kind !== "map") context.wrongType(root, "the settings", "a map");
  if (context.expressions.length > 0) {
    const names = (settings?.secrets ?? []).map(({ name }) => [name, "string"] as const);
    const roots = { secrets: Object.fromEntries(names) };
    const records = new Map<CelType, RecordType>([[NOTICE, NOTICE_RECORD]]);
    const known: Known = { steps: new Map(), records, roots };
    checkExpressions(context, known, new Guards(), await loadCel());
  }
  return {
    ...(settings && !diagnostics.failed ? { settings } : {}),
    diagnostics: [...diagnostics.all()],
  };
}

async function readRoot(
  root: Node & { kind: "map" },
  context: ParseContext,
): Promise<HealthSettings> {
  const read = readFields(root, SETTINGS_FIELDS, context, "the settings");
  const targets = new Map<string, TargetPlan>();
  for (const entry of entriesOf(read.targets, "`targets`", context)) {
    const target = readTarget(entry, context);
    if (target) targets.set(entry.key, target);
  }
  const heartbeat = read.heartbeat && readHeartbeat(read.heartbeat, context);
  const server = read.mail && readMail(read.mail, context);
  const settings: HealthSettings = {
    source: context.source,
    secrets: read.secrets ?? [],
    defaults: (read.defaults && readAlert(read.defaults, context)) ?? {},
    routes: read.routes ? oneOrMore(ROUTE).read(read.routes, context, "`routes`") ?? [] : [],
    targets,
    maintenance: await readMaintenances(read.maintenance, context),
    ...(server ? { mail: server } : {}),
    ...(heartbeat ? { heartbeat } : {}),
    ...(read.parallel === undefined ? {} : { parallel: read.parallel }),
  };
  // A route that has none is an error, and read nevertheless, to find more.
  const routed = (settings.routes as Partial<Route>[]).flatMap(({ to }) => to ?? []);
  const receivers = [...settings.defaults.to ?? [], ...routed];
  for (const one of receivers) checkReceiver(one, context, settings);
  return settings;
}

/** Reports the receivers of recipes that the settings do not know. */
export function unknownReceivers(
  recipes: readonly Recipe[],
  settings: HealthSettings | undefined,
): Diagnostic[] {
  return [...new Set(recipes)].flatMap(({ source, alert }) => {
    const context = new ParseContext(new Diagnostics(source));
    for (const one of alert?.to ?? []) checkReceiver(one, context, settings);
    return [...context.diagnostics.all()];
  });
}

function checkReceiver(
  { name, span }: Receiver,
  { diagnostics }: ParseContext,
  settings: HealthSettings | undefined,
): void {
  if (name.kind !== "literal") return;
  const text = String(name.value);
  if (isMailAddress(text)) {
    // Without settings the alert is printed, and a warning says so.
    if (!settings || settings.mail) return;
    const label = "add `mail: {smtp, from}` to the file that `--health` names";
    return diagnostics.error("unknown-target", span, `there is no mail server for \`${text}\``, {
      label,
    });
  }
  if (!isTargetName(text) || settings?.targets.has(text)) return;
  const names = [...settings?.targets.keys() ?? []];
  const label = didYouMean(text, names) ??
    (settings ? "add it to `targets`" : "`--health FILE` names the file with the targets");
  diagnostics.error("unknown-target", span, `there is no target \`${text}\``, { label });
}

/** Reads a target: `ops: { slack: { url: … } }`. */
function readTarget({ key, keySpan, value }: Entry, context: ParseContext): TargetPlan | undefined {
  if (!isTargetName(key)) {
    context.diagnostics.error("bad-id", keySpan, `\`${key}\` cannot be used as a name`);
  }
  const names = TARGET_KINDS.map(({ name }) => name);
  const [first, second] = value.kind === "map" ? value.entries : [];
  const label = `one of ${names.join(", ")}`;
  if (!first) {
    return void context.wrongType(value, `target \`${key}\``, "a map with one kind", label);
  }
  if (second) {
    const message = `target \`${key}\` has two kinds, \`${first.key}\` and \`${second.key}\``;
    return void context.diagnostics.error("wrong-value", second.keySpan, message, {
      label: "give each a name of its own",
    });
  }
  const kind = TARGET_KINDS.find(({ name }) => name === first.key);
  if (!kind) return void context.unknownKey(first.key, first.keySpan, `target \`${key}\``, names);
  return { kind, values: readValues(kind, first.value, context), span: keySpan };
}

/** Reads `mail`, which has everything of such a target but the receivers. */
function readMail(node: Node, context: ParseContext): TargetPlan {
  const { to: _, ...fields } = mail.fields;
  return { kind: mail, values: readValues({ ...mail, fields }, node, context), span: node };
}

function readValues(
  { name, fields, perMessage = [] }: TargetKind,
  node: Node,
  context: ParseContext,
): Record<string, unknown> {
  const where = `\`${name}\``;
  if (node.kind !== "map") {
    context.wrongType(node, where, "a map");
    return {};
  }
  const scope = perMessage.length > 0 ? { locals: { notice: NOTICE } } : {};
  return context.within(scope, () => readFields(node, fields, context, where));
}

function entriesOf(node: Node | undefined, what: string, context: ParseContext): readonly Entry[] {
  if (!node) return [];
  if (node.kind === "map") return node.entries;
  context.wrongType(node, what, "a map");
  return [];
}
