import { TARGET_KINDS } from "../../notify/targets/target_kinds.ts";
import type { Notice } from "../../health/model.ts";
import { send } from "../../notify/send.ts";
import { UsageError } from "../args.ts";
import { type CommandContext, COULD_NOT_RUN } from "../command.ts";
import { didYouMean } from "../../../runtime/suggest.ts";
import { settingsScope, Targets } from "./open_targets.ts";
import type { HealthSettings } from "./settings.ts";

/** Sends a test to a target: an alert that is raised, and then that it is resolved. */
export async function sendTestAlert(
  name: string,
  settings: HealthSettings | undefined,
  context: CommandContext,
): Promise<number> {
  const { clock, signal, out, err, mask } = context;
  const names = [...settings?.targets.keys() ?? []];
  if (!/[@:]/.test(name) && !names.includes(name)) {
    const meant = didYouMean(name, names);
    const hint = meant ?? (names.length > 0 ? `the targets are ${names.join(", ")}` : KINDS_HINT);
    throw new UsageError(`There is no target '${name}'; ${hint}`);
  }
  const targets = new Targets(settings, settingsScope(settings, context));
  const shown = await targets.open(name);
  const target = targets.all.get(shown)!;
  const start = clock.now();
  for (const kind of ["raised", "resolved"] as const) {
    const notice = testNotice(kind, start);
    const text = kind === "raised"
      ? "TEST this is a test of the alerts of Dispatch recipes; nothing is wrong"
      : "TEST the test is over";
    const problem = await send(target, { notice, text }, { fetch, clock, signal });
    if (problem) {
      err.write(mask.text(`error: Cannot tell ${shown}: ${problem.text}\n`));
      return COULD_NOT_RUN;
    }
    out.write(mask.text(`${shown} has taken the test: ${kind}\n`));
  }
  return 0;
}

const KINDS_HINT = `add it to \`targets\` in the file that --health names, with one of ${
  TARGET_KINDS.map(({ name }) => name).join(", ")
}`;

/** Both notices have one incident: by it a receiver finds the alert that it should close. */
function testNotice(kind: Notice["kind"], at: number): Notice {
  const check = {
    ...{ id: "test", name: "Test alert", file: "test", server: "test", tags: [] },
    when: "once",
  };
  const incident = `test-${at.toString(36)}`;
  return { id: `${incident}-${kind}`, kind, check, incident, at, since: at, failures: 1 };
}
