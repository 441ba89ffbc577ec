import fc from "fast-check";

/** JSON texts of values that decoders treat differently. The first ones are the simplest. */
const SCALARS = [
  ...["null", "1", '"x"', "true", "[]", "{}", '""', "0", "-1", "false"],
  ...["-0", "1.0", "1.5", "1e2", "1E+2", "-1e-7", "0.1", "1e308", "1e400", "1e-400"],
  ...["9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808"],
  ...["2147483648", "123456789012345678901234567890"],
  ...['"5"', '"null"', '"ä😀\u2028"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\u0000"', '"<&>"'],
  ...['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u00e4"', '"a b"', '" "', '"\u007f"', '"{\\"a\\":1}"'],
  ...['"<<long:300>>"', '"<<long:70000>>"', "<<deep:50>>", "<<deep:9990>>", '[1,"a",null]'],
];

const KEYS = ["a", "b", "A", "", "to", "TO", "ключ", "__proto__", "constructor", "\\u0061", "a\\n"];

const scalar = fc.constantFrom(...SCALARS);
const key = fc.constantFrom(...KEYS);

/** White space that JSON allows. */
const space = fc.constantFrom("", "", "", "", "", " ", "\n", "\t", "\r\n ");

/** Any JSON text. */
export const json: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 6, arbitrary: scalar },
    {
      weight: 1,
      arbitrary: fc.tuple(space, fc.array(tie("value"), { maxLength: 3 }))
        .map(([gap, items]) => `[${gap}${items.join(`,${gap}`)}]`),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(space, fc.array(fc.tuple(key, tie("value")), { maxLength: 3 }))
        .map(([gap, items]) =>
          `{${gap}${items.map(([name, value]) => `"${name}"${gap}:${value}`).join(`,${gap}`)}}`
        ),
    },
  ),
})).value;

/** JSON texts, nearly always those that a server expects. */
export function mostly(...texts: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...texts) },
    { weight: 1, arbitrary: json },
  );
}

/** Leaves a value out sometimes; or mostly, with a share below 1. */
export function maybe<T>(arbitrary: fc.Arbitrary<T>, share = 9): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: 10, arbitrary: fc.constant(undefined) },
    { weight: share * 10, arbitrary },
  );
}

/**
 * The text of an object with these members. Some are left out, repeated, or written in upper case, and
 * there may be an unknown member; none of this with `twists` 0.
 */
export function objectOf(
  members: Record<string, fc.Arbitrary<string | undefined>>,
  twists = 1,
): fc.Arbitrary<string> {
  const names = Object.keys(members);
  const twist = fc.oneof(
    { weight: 16, arbitrary: fc.constant({ kind: "none" as const, at: 0, value: "" }) },
    {
      weight: twists,
      arbitrary: fc.record({
        kind: fc.constantFrom("double" as const, "before" as const),
        at: fc.nat(names.length),
        value: json,
      }),
    },
    {
      weight: twists,
      arbitrary: fc.record({
        kind: fc.constantFrom("upper" as const, "space" as const, "kelvin" as const),
        at: fc.nat(names.length),
        value: fc.constant(""),
      }),
    },
    {
      weight: twists,
      arbitrary: fc.record({
        kind: fc.constant("unknown" as const),
        at: fc.constant(0),
        value: json,
      }),
    },
  );
  return fc.tuple(fc.record(members), twist).map(([values, { kind, at, value }]) => {
    const list = names.flatMap((name): [string, string][] => {
      const text = (values as Record<string, string | undefined>)[name];
      return text === undefined ? [] : [[name, text]];
    });
    const name = names[at % Math.max(1, names.length)] ?? "a";
    if (kind === "double") list.push([name, value]);
    if (kind === "before") list.unshift([name, value]);
    if (kind === "unknown") list.unshift(["nobody_knows", value]);
    const spelt = (each: string): string => {
      if (each !== name) return each;
      if (kind === "upper") return each.toUpperCase();
      return kind === "kelvin" ? each.replace("k", "\u212a").replace("s", "\u017f") : each;
    };
    const gap = kind === "space" ? " \n\t\r" : "";
    const inner = list.map(([each, text]) => `"${spelt(each)}"${gap}:${gap}${text}`);
    return `${gap}{${gap}${inner.join(`${gap},`)}${gap}}${gap}`;
  });
}
