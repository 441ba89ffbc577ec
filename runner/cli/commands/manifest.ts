import { Buffer } from "node:buffer";
import { stringify } from "yaml";
import { parseDuration } from "../../language/duration.ts";
import { MAX_SHARDS } from "../../events/event.ts";
import type { Recipe } from "../../language/model.ts";
import { type ParsedArgs, UsageError } from "../args.ts";
import { type Command, type CommandContext, INVALID, PROGRAM } from "../command.ts";
import { loadRecipes } from "../load_recipes.ts";
import { type DeclaredNames, declaredNames } from "../manifest/declared_names.ts";
import { githubWorkflow } from "../manifest/github.ts";
import { cronJobName, cronJobs, shardedJob } from "../manifest/kubernetes.ts";
import type {
  KubernetesObject,
  KubernetesOptions,
  RecipeFile,
  RecipeFiles,
} from "../manifest/kubernetes_objects.ts";
import { distinct } from "../../language/diagnostic.ts";
import { publicUrlOption } from "../health/listen_option.ts";
import { settingsOption } from "../health/settings_option.ts";
import { monitorDeployment, PAGE_TOKEN } from "../manifest/kubernetes_monitor.ts";
import { manifestFiles } from "../manifest/manifest_files.ts";
import { durationOption, formatOption, numberOption } from "../options.ts";

/** The most bytes that a ConfigMap may have. */
const MAX_CONFIG_MAP = 1 << 20;
/** The most jobs that GitHub runs for a matrix. */
const MAX_MATRIX = 256;

/** The name of a Secret, and a key in it. */
const SECRET = /^([a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?)\/([-._a-zA-Z0-9]{1,253})$/;
/** What cron patterns of Kubernetes do not have: the last day, the nearest weekday, the nth one. */
const NOT_IN_KUBERNETES = /[#+]|\d[LW]|\bLW?\b/i;

/** `manifest`: writes what Kubernetes or GitHub needs to run recipes. */
export const manifest: Command = {
  usage: "manifest SERVICE [path]…",
  description: "Print what kubernetes or github needs to run recipes, in shards or by schedule.",
  examples: (program) => [
    `${program} manifest github recipes/ --shards 4 > recipes.yml`,
    `${program} manifest kubernetes recipes/ --image dispatch --url "$URL"`,
    `${program} manifest kubernetes . --schedule --image dispatch --url "$URL"`,
    `${program} manifest kubernetes . --monitor --image dispatch --url "$URL"`,
  ],
  words: ["kubernetes", "github"],
  options: {
    shards: { value: "N", description: "The number of shards. Default: 2." },
    schedule: { description: "kubernetes: a CronJob for each recipe that has a schedule." },
    monitor: { description: "kubernetes: a Deployment that runs `schedule`, with its page." },
    health: { value: "FILE", description: "--monitor: the settings of `schedule --health`." },
    "public-url": { value: "URL", description: "--monitor: the address that alerts link to." },
    name: {
      value: "NAME",
      description: "kubernetes: the name of the objects. Default: recipes; checks for --monitor.",
    },
    image: { value: "IMAGE", description: "kubernetes: the image with the command line." },
    url: { value: "URL", description: "The server. For github the embedded one by default." },
    secret: {
      value: "NAME/KEY",
      description: "kubernetes: the Secret with the token. Default: dispatch/token.",
    },
    wait: { value: "DURATION", description: "kubernetes: how long the merge waits. Default: 30m." },
  },
  async run(args, context) {
    const [target, ...paths] = args.positional;
    if (target !== "kubernetes" && target !== "github") {
      const what = target === undefined ? "nothing" : `'${target}'`;
      throw new UsageError(`manifest takes kubernetes or github first, not ${what}`);
    }
    if (paths.length === 0) throw new UsageError("No recipes: name a file or directory");
    const shards = numberOption(args, "shards", 2);
    checkMonitorOptions(target, args);
    const loaded = await loadRecipes(paths, context);
    if (loaded.diagnostics.length > 0) {
      const { printDiagnostics } = await import("../print_diagnostics.ts");
      printDiagnostics(loaded.diagnostics, formatOption(args, context.env), context);
      if (loaded.diagnostics.some(({ severity }) => severity === "error")) return INVALID;
    }
    if (loaded.recipes.length === 0) throw new UsageError("No recipes were found");
    const url = urlOption(args);
    if (target === "github") {
      if (shards > MAX_MATRIX) {
        throw new UsageError(`--shards: GitHub runs at most ${MAX_MATRIX} jobs of a matrix`);
      }
      const { secrets } = declaredNames(loaded.recipes);
      context.out.write(text([githubWorkflow({ paths, shards, url, secrets })]));
      return 0;
    }
    const options = {
      ...kubernetesOptions(args, shards),
      ...declaredNames(loaded.recipes),
    };
    const files = await manifestFiles(loaded);
    for (const warning of files.warnings) context.err.write(`warning: ${warning}\n`);
    checkSize(files.files);
    if (args.flags.has("monitor")) {
      return await monitor(loaded.recipes, files, options, args, context);
    }
    if (!args.flags.has("schedule")) {
      context.out.write(text(shardedJob(files, options)));
      sayKeys(options, options.secrets, context);
      return 0;
    }
    const scheduled = loaded.recipes.filter(({ schedule }) => schedule)
      .map((recipe) => withCron(recipe, files.pathOf(recipe.source.name)));
    if (scheduled.length === 0) throw new UsageError("--schedule: no recipe has a `schedule`");
    checkSchedules(scheduled, options.name);
    context.out.write(text(cronJobs(scheduled, files.files, options)));
    sayKeys(options, declaredNames(scheduled.map(({ recipe }) => recipe)).secrets, context);
    return 0;
  },
};

/** @throws {UsageError} If no client could connect to the address. */
function urlOption({ values: { url } }: ParsedArgs): string | undefined {
  if (url === undefined || (/^(ws|http)s?:/.test(url) && URL.canParse(url))) return url;
  throw new UsageError(`--url must be a ws(s) or http(s) URL, not '${url}'`);
}

/** @throws {UsageError} If options do not belong together. */
function checkMonitorOptions(target: string, { values, flags }: ParsedArgs): void {
  if (flags.has("monitor")) {
    if (target !== "kubernetes") throw new UsageError("--monitor is for kubernetes only");
    const other = flags.has("schedule")
      ? "schedule"
      : ["shards", "wait"].find((name) => values[name] !== undefined);
    if (other !== undefined) throw new UsageError(`--monitor and --${other} exclude each other`);
    publicUrlOption({ values });
    return;
  }
  const alone = ["health", "public-url"].find((name) => values[name] !== undefined);
  if (alone !== undefined) throw new UsageError(`--${alone} needs --monitor`);
}

/** Prints the objects that run recipes on their schedules in one pod. */
async function monitor(
  recipes: readonly Recipe[],
  files: RecipeFiles,
  options: KubernetesOptions,
  args: ParsedArgs,
  context: CommandContext,
): Promise<number> {
  if (!recipes.some(({ schedule }) => schedule)) {
    throw new UsageError("--monitor: no recipe has a `schedule`");
  }
  // Names of Services, unlike those of Jobs, begin with a letter.
  if (!/^[a-z]/.test(options.name)) {
    throw new UsageError(`--name must begin with a letter, not '${options.name}'`);
  }
  const settings = await settingsOption(args, context);
  if (typeof settings === "number") return settings;
  const { unknownReceivers } = await import("../health/settings.ts");
  const problems = unknownReceivers(recipes, settings);
  if (problems.length > 0) {
    const { printDiagnostics } = await import("../print_diagnostics.ts");
    await printDiagnostics(distinct(problems), formatOption(args, context.env), context);
    return INVALID;
  }
  checkSize(files.files, settings?.source.text);
  const declared = declaredNames(recipes, settings?.secrets);
  const publicUrl = args.values["public-url"];
  context.out.write(text(monitorDeployment(files, {
    ...{ ...options, ...declared },
    ...(settings ? { settings: settings.source.text } : {}),
    ...(publicUrl === undefined ? {} : { publicUrl }),
  })));
  sayKeys(options, [PAGE_TOKEN, ...declared.secrets], context);
  return 0;
}

/** Says which keys the Secret needs, if the token is not the only one. */
function sayKeys(
  { secret }: KubernetesOptions,
  others: readonly string[],
  { err }: CommandContext,
): void {
  if (others.length === 0) return;
  err.write(`The Secret '${secret.name}' needs the keys ${[secret.key, ...others].join(", ")}\n`);
}

function text(objects: readonly KubernetesObject[]): string {
  const made = `# Made by \`${PROGRAM} manifest\`.\n`;
  return made +
    objects.map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false })).join(
      "---\n",
    );
}

function kubernetesOptions(
  { values, ...args }: ParsedArgs,
  shards: number,
): Omit<KubernetesOptions, keyof DeclaredNames> {
  const { image, url, secret = "dispatch/token", wait = "30m" } = values;
  const { name = args.flags.has("monitor") ? "checks" : "recipes" } = values;
  if (!image) throw new UsageError("manifest kubernetes needs --image");
  if (url === undefined) throw new UsageError("manifest kubernetes needs --url");
  if (!/^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$/.test(name)) {
    throw new UsageError(
      `--name must be at most 42 lower-case letters, digits and hyphens, not '${name}'`,
    );
  }
  if (shards > MAX_SHARDS) {
    throw new UsageError(`--shards: a plan has at most ${MAX_SHARDS} parts, not ${shards}`);
  }
  const [, secretName, key] = SECRET.exec(secret) ?? [];
  if (secretName === undefined || key === undefined) {
    throw new UsageError(`--secret must be NAME/KEY, such as dispatch/token, not '${secret}'`);
  }
  durationOption({ values, ...args }, "wait");
  return { name, image, url, shards, wait, secret: { name: secretName, key } };
}

/** @throws {UsageError} If a ConfigMap cannot have all of it. */
function checkSize(files: readonly RecipeFile[], more = ""): void {
  const texts = [...files.flatMap(({ path, text }) => [path, text]), more];
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size > MAX_CONFIG_MAP) {
    throw new UsageError("The recipes are larger than a ConfigMap may be (1 MiB); use an image");
  }
}

/** Gives a recipe that runs at equal distances the cron pattern of them. */
function withCron(recipe: Recipe, path: string): { recipe: Recipe; path: string } {
  const { schedule } = recipe;
  const every = schedule!.every;
  if (every === undefined) return { recipe, path };
  const ms = every.kind === "literal" ? parseDuration(String(every.value)) : undefined;
  const minutes = (ms ?? 0) / 60_000;
  const hours = minutes / 60;
  const cron = minutes >= 1 && 60 % minutes === 0 && minutes < 60
    ? minutes === 1 ? "* * * * *" : `*/${minutes} * * * *`
    : hours >= 1 && 24 % hours === 0
    ? hours === 24 ? "0 0 * * *" : `0 */${hours} * * *`
    : undefined;
  if (cron === undefined) {
    const why = "a CronJob needs minutes that divide an hour, or hours that divide a day";
    throw new UsageError(`Cannot schedule '${path}' with \`every\`: ${why}`);
  }
  return { recipe: { ...recipe, schedule: { ...schedule!, cron } }, path };
}

/** Kubernetes knows five fields, and names must differ. */
function checkSchedules(
  scheduled: readonly { recipe: Recipe; path: string }[],
  jobName: string,
) {
  const names = new Map<string, string>();
  for (const { recipe, path } of scheduled) {
    const cron = recipe.schedule!.cron!;
    const fields = cron.trim().split(/\s+/);
    if (!cron.startsWith("@") && fields.length !== 5) {
      throw new UsageError(`Cannot schedule '${path}': a CronJob has no seconds ('${cron}')`);
    }
    // Its week ends with day 6: Sunday is 0 only.
    const other = fields.find((field, i) =>
      NOT_IN_KUBERNETES.test(field) || i === 4 && /(?<!\/)\b7\b/.test(field)
    );
    if (other !== undefined) {
      throw new UsageError(`Cannot schedule '${path}': a CronJob does not know '${other}'`);
    }
    const name = cronJobName(jobName, path);
    const same = names.get(name);
    if (same !== undefined) {
      throw new UsageError(`Cannot name the CronJobs of '${same}' and '${path}' both '${name}'`);
    }
    names.set(name, path);
  }
}
