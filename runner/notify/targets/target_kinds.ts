import type { TargetKind } from "../target.ts";
import { alertmanager } from "./alertmanager.ts";
import { command } from "./command.ts";
import { discord } from "./discord.ts";
import { mail } from "./mail.ts";
import { ntfy } from "./ntfy.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { webhook } from "./webhook.ts";

/** All kinds of targets. A new one is a file and a line here. */
export const TARGET_KINDS: readonly TargetKind[] = [
  alertmanager,
  pagerduty,
  opsgenie,
  slack,
  discord,
  teams,
  ntfy,
  mail,
  webhook,
  command,
];
