/** What a diagnostic's code stands for. */
export interface CodeEntry {
  /** One line. */
  title: string;
  /** A paragraph or two, as `explain CODE` prints them. */
  explanation: string;
}

/** Every code a diagnostic can have. */
export const DIAGNOSTIC_CODES = {
  "cannot-read": {
    title: "The file cannot be read",
    explanation:
      "There is no such file, it is a directory without recipes, or it must not be read.",
  },
  "too-large": {
    title: "The file or what it expands to is too large",
    explanation:
      "A recipe file may have 1 MiB, 100 levels and, with every alias written out, 50,000 values. A few lines of aliases of aliases can stand for billions of values; such a file is refused before it is expanded.",
  },
  "yaml": {
    title: "The file is not YAML 1.2",
    explanation:
      "Most often: a plain value with a colon before a space, or a space before a `#`, and so needs quotes, a tab in the indentation, or lines that are indented differently. An expression with `? :` inside a plain value needs quotes around the whole value. A file must be UTF-8 without control characters.",
  },
  "yaml-tag": {
    title: "YAML tags, merge keys and directives have no place in a recipe",
    explanation:
      "A value is text, a number, true or false, nothing, a list or a map; it never becomes anything else. Merge keys (`<<`) are not part of YAML 1.2. An expression that begins with `!` needs quotes.",
  },
  "duplicate-key": {
    title: "A key stands twice in one map",
    explanation: "One of the two would silently win. Remove one.",
  },
  "unknown-key": {
    title: "A key that has no meaning there",
    explanation:
      "Recipes are closed at every level: a misspelt key would otherwise be an assertion that never fails. Only payloads, inputs and call data have keys of your choice.",
  },
  "missing-key": {
    title: "A key that must be there is not",
    explanation: "The message names it.",
  },
  "wrong-type": {
    title: "A value of the wrong type",
    explanation:
      "For instance text where a number is wanted. An expression `${{ }}` may stand for a number or a duration; its type is checked as well.",
  },
  "wrong-value": {
    title: "A value outside of what is allowed",
    explanation:
      "A number out of its range, an empty text, a word that is none of the choices, an alert to what is no address, or a time that ends before it begins.",
  },
  "bad-duration": {
    title: "Text that is no duration",
    explanation:
      "A duration is a number and a unit: `250ms`, `10s`, `1.5m`, `2h`; units can follow each other: `1m30s`. A bare number has no unit and is refused.",
  },
  "no-steps": {
    title: "A recipe without a step",
    explanation: "It would be green without doing anything. Give it `steps`.",
  },
  "nothing-checked": {
    title: "A recipe that neither waits nor asserts",
    explanation:
      "It can only show that requests were accepted. Its run is reported as `nothing was checked` and exits with 4. Add a `wait`, an `assert` or an `expect`.",
  },
  "no-kind": {
    title: "A step that does not say what it does",
    explanation:
      "Each step has exactly one of `enqueue`, `start`, `publish`, `wait`, `assert` or `expect`, `cancel`, `get`, `stats`, `call`, `sleep`, `log`, `set`, `use`, `parallel`.",
  },
  "two-kinds": {
    title: "A step that says two things to do",
    explanation: "Make two steps of it; the order then is the order they are written in.",
  },
  "duplicate-id": {
    title: "Two steps with one id",
    explanation: "What a step leaves stands under its id, so an id is used once in a recipe.",
  },
  "bad-id": {
    title: "An id or a variable's name that cannot be used in expressions",
    explanation:
      "It begins with a letter or `_`, goes on with letters, digits and `_`, and is none of the names the language uses itself, such as `vars`, `item` or `true`.",
  },
  "unknown-step": {
    title: "A step id that is not in the recipe",
    explanation: "A `wait`, `cancel` or expression names a step by its `id`.",
  },
  "used-too-early": {
    title: "A step is used before it has run",
    explanation:
      "Steps run from top to bottom; what a step leaves can be used by the steps under it. Steps that run in parallel cannot use each other, and what steps inside a `for_each` leave is gone with its item.",
  },
  "wrong-step": {
    title: "A step whose result is not of the kind that is needed",
    explanation:
      "Jobs and runs can be waited for: the steps `enqueue`, `start` and `get` leave them, and with `for_each` a list of them, which a wait takes whole. Only jobs can be cancelled.",
  },
  "may-be-absent": {
    title: "A field that may not be there when it is used",
    explanation:
      "What has not happened yet has no `completed_at` and no `duration_ms`, and what did not fail has no `error`. Wait for it first, ask with `has(x.y)`, or give another value with `x.?y.orValue(…)`. An `expect` needs neither: it says that the value is absent.",
  },
  "retry-on-wait": {
    title: "`retry` on a wait",
    explanation:
      "A wait already looks again and again until its time is over. Give it more time with `within`; `retry` is for steps.",
  },
  "unguarded": {
    title: "`always` uses a step that may not have run",
    explanation:
      "`always` runs also when the recipe failed at its first step. A step there that uses what another step left needs an `if` that names that step: an `if` over a step that did not run is false, and the step is skipped.",
  },
  "unknown-name": {
    title: "A name that an expression cannot know",
    explanation:
      "Expressions know `vars`, `env`, `secrets`, `matrix`, `inputs`, `item` (in `for_each`), the ids of earlier steps, and the functions. There is no undefined value: a name that is not known is an error.",
  },
  "unknown-field": {
    title: "A field that the value does not have",
    explanation:
      "What each step leaves under its id is listed in docs/recipes.md. Payloads, inputs and other JSON can have any field.",
  },
  "unknown-function": {
    title: "A function that does not exist, or not for these types",
    explanation:
      "There are CEL's own functions and macros, and `uuid()`, `now()`, `random(n)`. Text has methods such as `x.contains(y)`, `x.startsWith(y)`, `x.matches(regex)`.",
  },
  "type-mismatch": {
    title: "An operator between types it does not take",
    explanation:
      "A text is never equal to a number, so comparing them is an error, not false, and an `expect` of one could never be met, or never fail. Convert with `int(x)`, `double(x)` or `string(x)`.",
  },
  "not-a-condition": {
    title: "A condition that is neither true nor false",
    explanation: "`assert`, `if`, `only_if` and `where` are expressions that give true or false.",
  },
  "bad-expression": {
    title: "An expression that cannot be parsed",
    explanation:
      'Expressions are CEL: `a.b == "c" && size(list) > 2`. Text stands in double or single quotes. `&&`, `||` and `!` are and, or and not. An expression of more than 2,000 parts is refused.',
  },
  "bad-template": {
    title: "A `${{` without its `}}`, or one with nothing in it",
    explanation: "Write `$${{` where the text itself shall hold `${{`.",
  },
  "object-in-text": {
    title: "A list, a map or nothing inside text",
    explanation:
      "`${{ }}` alone keeps its type; inside text it makes text, and there is no one way to write a list, a map or null as text.",
  },
  "unknown-state": {
    title: "A state that a job or run cannot be in",
    explanation:
      "Jobs are `pending`, `running`, `retrying`, `completed`, `failed` or `cancelled`. Runs are `running`, `completed` or `failed`. A wait for any other state would never end, and an assertion of one would never hold.",
  },
  "bad-channel": {
    title: "Text that is no channel",
    explanation:
      "Channels are `jobs`, `workflows`, `firehose`, `job:<id>`, `workflow:<id>` and `queue:<name>`.",
  },
  "bad-cron": {
    title: "Text that is no cron pattern, or no time zone",
    explanation: "Five fields, `minute hour day month weekday`, or six with seconds first.",
  },
  "unknown-method": {
    title: "A method the protocol does not have",
    explanation:
      "`call` takes any method of the wire protocol. A name it does not declare is warned about.",
  },
  "bad-matcher": {
    title: "An `expect` that cannot be met or read",
    explanation:
      "A value is compared by value and type. A map of matchers has `gt`, `gte`, `lt`, `lte`, `matches`, `contains`, `one_of`, `exists`, `type`, `length`, `equals` or `not`.",
  },
  "ambiguous-scalar": {
    title: "A plain value that YAML reads as something else than it looks like",
    explanation:
      "`0012` is the number 12, `0x1F` is 31, `1e3` is 1000, `1.10` is 1.1, and `yes`, `on` and `12:30` are something else to older YAML readers; a whole number beyond 2^53 loses digits. Put it in quotes for text, write `true` or `false` for a flag, or write the number as it is read.",
  },
  "unknown-variable": {
    title: "A variable that the recipe does not declare",
    explanation: "Variables stand under `vars`; `--var` overrides them and adds none.",
  },
  "missing-variable": {
    title: "A variable without a value",
    explanation: "It is declared with no default, so `--var name=value` must give it one.",
  },
  "missing-secret": {
    title: "A secret that is not in the environment",
    explanation: "Secrets are declared by name and read from the environment when the recipe runs.",
  },
  "use": {
    title: "A recipe that cannot be used by another",
    explanation:
      "The file is missing or wrong itself, the recipes use each other in a circle, it has a `matrix`, or an input is missing, unknown or of another type than declared.",
  },
  "module": {
    title: "A TypeScript recipe that cannot be loaded",
    explanation:
      "The module must load and have a recipe as its default export: `export default recipe(name, async (t) => { … })`.",
  },
} as const satisfies Record<string, CodeEntry>;

/** The code of a diagnostic; stable, so that tools can rely on it. */
export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;
