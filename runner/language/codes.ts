/** What the code of a diagnostic means. */
export interface CodeEntry {
  /** The meaning, in one line. */
  title: string;
  /** The explanation that `explain CODE` and docs/recipes.md show. */
  explanation: string;
}

/** Every code that a diagnostic can have. */
export const DIAGNOSTIC_CODES = {
  "cannot-read": {
    title: "The file cannot be read",
    explanation:
      "The file does not exist, cannot be opened, or is a directory that contains no recipes.",
  },
  "too-large": {
    title: "The file, or what it expands to, is too large",
    explanation:
      "A recipe file may have 1 MiB, about 15,000 keys with values, and 100 levels of nesting; with its aliases expanded 50,000 values and 4 MiB. A few lines of nested aliases can expand to billions of values; such a file is refused without being expanded. `vars`, `inputs` and the like may have 1,000 entries, a matrix 100 keys. A recipe may use 200 others, and have 20,000 steps with theirs.",
  },
  "yaml": {
    title: "The file is not valid YAML 1.2",
    explanation:
      "The most common causes are a plain value with a colon before a space or a space before a `#`, which needs quotes, a tab in the indentation, and entries of one map that are indented differently. If an expression contains `? :`, put the whole value in quotes. The file must be UTF-8 without control characters.",
  },
  "yaml-tag": {
    title: "Recipes have no YAML tags, merge keys or directives",
    explanation:
      "A value is text, a number, true, false, null, a list or a map, and nothing else. YAML 1.2 has no merge keys (`<<`). An expression that begins with `!` needs quotes.",
  },
  "duplicate-key": {
    title: "A map has the same key twice",
    explanation: "One of the two values would be ignored. Remove one of the keys.",
  },
  "unknown-key": {
    title: "The key is not known here",
    explanation:
      "Unknown keys are errors at every level of a recipe: a misspelt key could otherwise hide an assertion that never runs. Only payloads, inputs and the data of calls can have any keys.",
  },
  "unknown-target": {
    title: "Nobody has this name",
    explanation:
      "`alert: {to: …}` names targets of the file that `--health` names, where each has a kind and an address. A URL needs no target. A mail address needs the `mail` of that file.",
  },
  "missing-key": {
    title: "A required key is missing",
    explanation: "The message names the key.",
  },
  "wrong-type": {
    title: "The value has the wrong type",
    explanation:
      "For example, text where a number is expected. In place of a number or a duration you can write an expression, `${{ }}`, whose type is checked too.",
  },
  "wrong-value": {
    title: "The value is not allowed",
    explanation:
      "A number is out of range, a text is empty, a word is not one of the choices, an alert goes to something that is not an address, or a time ends before it begins.",
  },
  "bad-duration": {
    title: "The text is not a duration",
    explanation:
      "A duration is a number with a unit, such as `250ms`, `10s`, `1.5m` or `2h`, or several of them: `1m30s`. A number without a unit is refused.",
  },
  "no-steps": {
    title: "The recipe has no steps",
    explanation: "It would pass without doing anything. Add `steps`.",
  },
  "nothing-checked": {
    title: "The recipe neither waits nor asserts",
    explanation:
      "It can only show that the server accepts the requests. Its run is reported as unchecked and exits with 4. Add a `wait`, an `assert` or an `expect`.",
  },
  "no-kind": {
    title: "The step does not say what to do",
    explanation:
      "Each step has exactly one key that names its kind, such as `enqueue`, `wait` or `assert`. docs/recipes.md lists all kinds.",
  },
  "two-kinds": {
    title: "The step says two things to do",
    explanation: "Split it into two steps. They run in the order they are written in.",
  },
  "duplicate-id": {
    title: "Two steps have the same id",
    explanation: "The result of a step is stored under its id, so an id must be unique.",
  },
  "bad-id": {
    title: "Expressions cannot use this name",
    explanation:
      "The name of a step or variable consists of letters, digits and `_`, does not begin with a digit, and is not a word that expressions reserve, such as `vars`, `item` or `true`.",
  },
  "unknown-step": {
    title: "No step has this id",
    explanation: "Steps such as `wait` and `cancel` name another step by its `id`.",
  },
  "used-too-early": {
    title: "A step or variable is used before it has a value",
    explanation:
      "Steps run from top to bottom, and only later steps can use the result of a step. Steps of a `parallel` cannot use each other's results, and the results of steps inside a `for_each` are gone after each item.",
  },
  "wrong-step": {
    title: "The result of the step is of the wrong kind",
    explanation:
      "You can wait for the jobs and runs that `enqueue`, `start` and `get` leave, and for the list of them that a `for_each` leaves. Only jobs can be cancelled.",
  },
  "may-be-absent": {
    title: "The field may be absent when it is used",
    explanation:
      "A job or run has no `completed_at` and no `duration_ms` before it ends, and no error if it succeeds. Wait for it first, check with `has(x.y)`, or add a default: `x.?y.orValue(…)`. An `expect` needs neither, because it reports an absent value. A notice about an alert has no `failure` if the alert is resolved, and no `link` without `--listen`.",
  },
  "retry-on-wait": {
    title: "A wait cannot have `retry`",
    explanation:
      "A wait polls until its time is up. To let it wait longer, set `within`. `retry` is for other steps.",
  },
  "unguarded": {
    title: "`always` uses a step that may not have run",
    explanation:
      "`always` runs even if the first step fails. A step of `always` that uses another step's result needs an `if` that names the other step: if that did not run, the `if` is false and the step is skipped.",
  },
  "unknown-name": {
    title: "The expression uses an unknown name",
    explanation:
      "Expressions can use `vars`, `env`, `secrets`, `matrix`, `inputs`, `item` (inside `for_each`), the ids of earlier steps, and functions. There is no undefined value: every other name is an error.",
  },
  "unknown-field": {
    title: "The value has no such field",
    explanation:
      "docs/recipes.md lists the fields of each result. Payloads, inputs and other JSON values can have any fields.",
  },
  "unknown-function": {
    title: "There is no such function, or not for these arguments",
    explanation:
      "Expressions have the functions and macros of CEL, and `uuid()`, `now()` and `random(n)`. Text has methods such as `x.contains(y)`, `x.startsWith(y)` and `x.matches(regex)`.",
  },
  "type-mismatch": {
    title: "The types do not match",
    explanation:
      "A text never equals a number, so comparing them is an error instead of false. An `expect` that compares them could never be met, or never fail. Convert one of them with `int(x)`, `double(x)` or `string(x)`.",
  },
  "not-a-condition": {
    title: "The condition is not true or false",
    explanation:
      "The expressions of `assert`, `if`, `only_if` and `where` must have the value true or false.",
  },
  "bad-expression": {
    title: "The expression cannot be parsed",
    explanation:
      'Expressions are CEL, such as `a.b == "c" && size(list) > 2`. Text is in double or single quotes; and, or and not are `&&`, `||` and `!`. An expression may have 2,000 parts.',
  },
  "always-fails": {
    title: "A part of the expression can never be evaluated",
    explanation:
      "It fails for all values of its names: because of a text that is not a number in `int(…)`, an invalid time or duration, an invalid regular expression, a division by zero, an item that a list does not have.",
  },
  "bad-template": {
    title: "A `${{` has no `}}`, or there is nothing between them",
    explanation: "To write the text `${{` itself, write `$${{`.",
  },
  "object-in-text": {
    title: "Text cannot contain a list, a map or null",
    explanation:
      "If `${{ }}` is the whole value, the value keeps its type. Inside text it is converted to text, and lists, maps and null have no single text form.",
  },
  "unknown-state": {
    title: "A job or run never has this state",
    explanation:
      "The states of a job are `pending`, `running`, `retrying`, `completed`, `failed` and `cancelled`. Those of a run are `running`, `completed` and `failed`. A wait for any other state would never end, and an assertion of it would always fail.",
  },
  "bad-channel": {
    title: "The text is not a channel",
    explanation:
      "The channels are `jobs`, `workflows`, `firehose`, `job:<id>`, `workflow:<id>` and `queue:<name>`.",
  },
  "bad-cron": {
    title: "The text is not a cron pattern or a time zone",
    explanation:
      "A cron pattern has five fields, `minute hour day month weekday`, or six with seconds first.",
  },
  "unknown-method": {
    title: "The protocol does not declare this method",
    explanation:
      "`call` sends any method, but warns about one that the wire protocol does not declare.",
  },
  "bad-matcher": {
    title: "The `expect` has an unknown matcher or a wrong argument",
    explanation:
      "An expected value is compared in value and type. A map of matchers has the keys `equals`, `not`, `gt`, `gte`, `lt`, `lte`, `matches`, `contains`, `one_of`, `exists`, `type` and `length`.",
  },
  "ambiguous-scalar": {
    title: "YAML reads this value differently from how it looks",
    explanation:
      "`0012` is the number 12, `0x1F` is 31, `1e3` is 1000 and `1.10` is 1.1. Older YAML parsers read `yes`, `on` and `12:30` as something other than text. A whole number beyond 2^53 would lose digits, which is an error. Put text in quotes, write `true` or `false` for a flag, and write a number as it is read.",
  },
  "unknown-variable": {
    title: "The recipe does not declare this variable",
    explanation: "Declare variables under `vars`. `--var` replaces values, but adds no variables.",
  },
  "missing-variable": {
    title: "The variable has no value",
    explanation: "The variable has no default. Set it with `--var name=value`.",
  },
  "missing-secret": {
    title: "The secret is not set",
    explanation: "A recipe reads its secrets from environment variables when it runs.",
  },
  "virtual-time": {
    title: "The step needs virtual time",
    explanation:
      "An `advance` step lets virtual time pass, which only the embedded server has: run the recipe with `--clock virtual`. To pause in real time, use `sleep`.",
  },
  "unknown-job": {
    title: "The server has no such job",
    explanation:
      "Without `--url` recipes run on the embedded server, whose jobs are those of the file that `--dev` names, or of the reference workload. A name in `${{ }}` is checked when the step runs.",
  },
  "unknown-workflow": {
    title: "The server has no such workflow",
    explanation:
      "Without `--url` recipes run on the embedded server, whose workflows are those of the file that `--dev` names, or of the reference workload. A server that runs elsewhere is asked for its workflows, if it has an admin API. A name in `${{ }}` is checked when the step runs.",
  },
  "unknown-queue": {
    title: "No worker reads the queue",
    explanation:
      "The job would stay `pending`. The workers read the queue `default`, those that jobs and cron entries name, or those that the file of definitions exports as `queues`.",
  },
  "unknown-event": {
    title: "No workflow waits for the event",
    explanation:
      "The source of each workflow shows which events it waits for. If one of them computes a name, or passes its context on to another function, no event is reported.",
  },
  "unknown-checkpoint": {
    title: "The workflow has no such step",
    explanation:
      "The wait would never end. Besides steps, `until_step` takes checkpoints such as `wait:<event>`, `sleep:<name>`, `parallel:<group>` and `child:<workflow>`.",
  },
  "refused-payload": {
    title: "The definition refuses the payload or input",
    explanation:
      "The schema of the job or workflow does not accept the value, so that every attempt would fail. A payload with `${{ }}` is not checked. To send a wrong one on purpose, write a part of it as an expression.",
  },
  "use": {
    title: "The recipe cannot be used",
    explanation:
      "The file is missing or has errors, the recipes use each other, the recipe has a `matrix`, or an input is missing, unknown or of the wrong type.",
  },
  "module": {
    title: "The TypeScript recipe cannot be loaded",
    explanation:
      "The module fails to load, takes longer than 30 seconds for it, or its default export is not a recipe: `export default recipe(name, async (t) => { … })`.",
  },
} as const satisfies Record<string, CodeEntry>;

/** The code of a diagnostic. Codes are stable, so that tools can rely on them. */
export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;
