import { type Mutant, mutant } from "./mutants.ts";

/** Further mutants that the simulation must find: limits that a caller sets, and operators. */
export const LIMIT_MUTANTS: readonly Mutant[] = [
  // Delays between attempts.
  mutant("the delays of reconnecting have no upper bound", "client/backoff.ts", [
    "Math.min(cap, base * 2 ** (attempt - 1))",
    "base * 2 ** (attempt - 1) + cap * 0",
  ]),
  mutant("the back-off that a caller asks for is not used", "client/session.ts", [
    "fullJitter(attempt, this.random(), backoff)",
    "fullJitter(attempt, this.random(), backoff && undefined)",
  ]),
  mutant("a base without a cap is not used", "client/backoff.ts", [
    "const { base = 1_000, cap = 45_000 } = options;",
    "const { base = 1_000, cap = 45_000 } = options.cap ? options : {} as BackoffOptions;",
  ]),

  // How long the server may take.
  mutant(
    "connecting takes its default time, whatever the caller says",
    "client/connection/connector.ts",
    [
      "const { connectTimeout: timeout = 10_000 } = this.#options;",
      "const timeout = 10_000;",
    ],
  ),
  mutant("connecting has only half its time", "client/connection/connector.ts", [
    "const { connectTimeout: timeout = 10_000 } = this.#options;",
    "const timeout = (this.#options.connectTimeout ?? 10_000) / 2;",
  ]),
  mutant("a ping may go without an answer for the default time", "client/connection/connector.ts", [
    "          pingTimeout,\n",
    "          pingTimeout: Math.max(pingTimeout, 10_000),\n",
  ]),
  mutant("a ping has only half its time for an answer", "client/connection/heartbeat.ts", [
    "deadlines.add(now + pingTimeout,",
    "deadlines.add(now + pingTimeout / 2,",
  ]),
  mutant("reads over HTTP are sent again as often as by default", "client/http/http_session.ts", [
    "const { maxRetries = 3, random",
    "const maxRetries = 3, { random",
  ]),

  // Operators.
  mutant("an operator's write without an answer is sent again", "client/http/admin_session.ts", [
    `retry: isRead ? "unknown" : "not-sent",`,
    `retry: "unknown",`,
  ]),
  mutant("an operator's read without an answer is not sent again", "client/http/admin_session.ts", [
    `retry: isRead ? "unknown" : "not-sent",`,
    `retry: "not-sent",`,
  ]),
  mutant("a record that was sent twice cannot be read", "client/http/admin_session.ts", [
    `[text, text.split("\\n", 1)[0]!]`,
    `[text]`,
  ]),

  mutant("an operator's counts lack a state", "client/http/admin_answers.ts", [
    "  jobCounts(what, stats.jobs);\n",
    "  stats.jobs = { ...jobCounts(what, stats.jobs), completed: 0 };\n",
  ]),
  mutant("resubscribing takes ten times as long as connecting may", "client/session.ts", [
    "resubscribe(link, connectTimeout, ",
    "resubscribe(link, connectTimeout * 10, ",
  ]),
];
