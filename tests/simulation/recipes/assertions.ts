import type { Script } from "../../../runner/mod.ts";
import { type StepModel, tagOf } from "./model.ts";

/** The variables of every recipe. */
export const VARS = {
  n: 2,
  list: [1, { a: "b" }],
  map: { a: 1, b: { c: [1] } },
  text: "a c, 12:30",
  state: "none",
};

/** What every job, run and event gets, as it is written, and as it must arrive. */
export const SENT_TEMPLATES = {
  typed: "${{ vars.n }}",
  id: "${{ uuid() }}",
  roll: "${{ random(3) }}",
  form: "n ${{ vars.n }}, ${{ vars.n + 1 }} $${{ x }}",
  deep: { list: "${{ vars.list }}", items: ["${{ vars.n > 1 }}", null], map: "${{ vars.map.b }}" },
};
/** The form of what functions make that are never the same, as it must arrive. */
export const SENT_FORMS: Readonly<Record<string, RegExp>> = {
  id: /^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$/,
  roll: /^[012]$/,
};
export const SENT = {
  typed: 2,
  form: "n 2, 3 ${{ x }}",
  deep: { list: [1, { a: "b" }], items: [true, null], map: { c: [1] } },
};

/** Lines of an `expect`, each with what holds and what does not. */
export const EXPECTATIONS: readonly (readonly [subject: string, holds: unknown, not: unknown])[] = [
  ["vars.n", 2, 3],
  ["vars.list", [1, { a: "b" }], [1, { a: "c" }]],
  ["vars.list", { contains: { a: "b" } }, { contains: 2 }],
  ["vars.list", { length: 2 }, { length: 3 }],
  ["vars.n", { gt: 1 }, { gt: 2 }],
  ["vars.n", { gte: 2, lte: 2 }, { gte: 2, lt: 2 }],
  ["vars.n", { one_of: [1, 2] }, { one_of: [1, 3] }],
  ["vars.list", { not: [2] }, { not: [1, { a: "b" }] }],
  ["vars.n", { lt: 3, gte: 2 }, { lt: 3, gte: 3 }],
  ["vars.n", { lte: 2 }, { lte: 1 }],
  ["vars.text", { matches: "^a.c,[[:space:]]" }, { matches: "^c" }],
  ["vars.text", { contains: "12:30" }, { contains: "12.30" }],
  ["vars.text", { length: 10 }, { length: { lt: 10 } }],
  ["vars.list", { length: { gt: 1, lt: 3 } }, { length: { gt: 1, lt: 2 } }],
  ["vars.map", { contains: { a: 1 } }, { contains: { a: 2 } }],
  ["vars.map.b", { equals: { c: [1] } }, { equals: { c: ["1"] } }],
  ["vars.map.a", 1, "1"],
  ["vars.map.a", { exists: true }, { exists: false }],
  ["vars.map.gone", { exists: false }, { not: 1 }],
  ["vars.map.gone", { exists: false }, { exists: true }],
  ["vars.list[0]", { type: "number" }, { type: "text" }],
  ["vars.map.b", { type: "map" }, { type: "list" }],
];

/** Conditions that hold, and others that do not, some of which have no value at all. */
const CONDITIONS: readonly (readonly [holds: string, not: string])[] = [
  ["1 == 1", "1 == 2"],
  ["vars.list.exists(x, x == 1)", "vars.list.exists(x, x == 3)"],
  ["vars.n > 1 && vars.n < 3", "vars.n > 1 && vars.n < 2"],
  ["vars.n > 2 || vars.map.a == 1", "vars.n > 2 || vars.map.a == 2"],
  ["size(vars.list) == 2", "vars.list[7] == 1"],
  ['vars.list[1].a.startsWith("b")', 'vars.list[1].gone == "b"'],
  ["has(vars.map.a) && !has(vars.map.gone)", "has(vars.map.gone)"],
  ['env.PLACE != ""', 'env.PLACE == ""'],
  ["uuid() != uuid()", "uuid() == uuid()"],
  ["random(3) < 3", "random(3) >= 3"],
  ['now() > timestamp("2000-01-01T00:00:00Z")', 'now() < timestamp("2000-01-01T00:00:00Z")'],
];

/** The conditions that show secrets when they do not hold. */
const TELLING: readonly [holds: string, not: string] = [
  "secrets.API + secrets.KEY != ''",
  "secrets.API == secrets.KEY + 'z'",
];

/** Returns the fields of a step that asserts several things, of which at most one does not hold. */
export function assertionOf({ action, expectation }: StepModel): Record<string, unknown> {
  if (action.do !== "assert") throw new TypeError("not an assertion");
  const { holds, tells, lines } = action;
  const conditions = lines === 0 ? Math.max(1, action.conditions) : action.conditions;
  const wrong = holds ? -1 : action.wrong % (conditions + lines);
  const side = (i: number) => i === wrong ? 1 : 0;
  const at = <T>(list: readonly T[], i: number) => list[(expectation + i) % list.length]!;
  const asserted = Array.from(
    { length: conditions },
    (_, i) => (tells && (holds || i === wrong) ? TELLING : at(CONDITIONS, i))[side(i)],
  );
  // Each line has a subject of its own.
  const expected = Array.from({ length: lines }, (_, i) => {
    const [subject, ...sides] = at(EXPECTATIONS, i * 7);
    return [`${"(".repeat(i)}${subject}${")".repeat(i)}`, sides[side(conditions + i)]];
  });
  return {
    ...(tells ? { name: "compares ${{ secrets.API }}" } : {}),
    ...(conditions === 0 ? {} : { assert: asserted.length === 1 ? asserted[0] : asserted }),
    ...(lines === 0 ? {} : { expect: Object.fromEntries(expected) }),
  };
}

/** Checks of a script. Each shows the name of its step, and holds or does not. */
const CHECKS: readonly ((t: Script, name: string, holds: boolean) => void)[] = [
  (t, name, holds) => t.expect(name).toBe(holds ? name : "other"),
  (t, name, holds) => t.expect({ name }).toEqual({ name: holds ? name : "other" }),
  (t, name, holds) => t.expect([name, 1]).toContain(holds ? 1 : 2),
  (t, name, holds) => t.expect(name).toContain(holds ? name.slice(1) : "other"),
  (t, name, holds) => t.expect(name).toMatch(holds ? /^(steps|always) \d/ : /^\d/),
  (t, name, holds) => t.expect([name]).toHaveLength(holds ? 1 : 2),
  (t, name, holds) => t.expect(name).not.toBe(holds ? "other" : name),
  (t, name, holds) => t.expect({ name, n: 1 }).toMatchObject(holds ? { n: 1 } : { n: 2 }),
  (t, name, holds) => t.expect([name]).not.toContain(holds ? "other" : name),
  (t, name, holds) => holds ? t.expect(name).toBeDefined() : t.expect(name).not.toBeDefined(),
];

/** Checks something in a script. */
export function checkInScript(t: Script, step: StepModel): void {
  const { action, expectation } = step;
  if (action.do !== "assert") throw new TypeError("not an assertion");
  const { holds, tells, conditions } = action;
  const name = tagOf(step) + (tells ? ` ${t.secrets.API}` : "");
  if (conditions === 0) return t.assert(holds, name);
  CHECKS[expectation % CHECKS.length]!(t, name, holds);
}
