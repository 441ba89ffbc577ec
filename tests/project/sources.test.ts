import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { importsOf, withoutComments } from "./sources.ts";

test("finds imports of every form", () => {
  const source = `
import a from "./a.ts";
import * as b from "./b.ts";
import { c, type C } from "./c.ts";
import type { D } from "./d.ts";
import {
  e,
} from "./e.ts";
import "./f.ts";
export { g } from "./g.ts";
export * from "./h.ts";
export type { I } from "./i.ts";
const j = await import("./j.ts");
`;
  deepEqual(
    importsOf(source).map(({ specifier, dynamic }) => specifier + (dynamic ? " later" : "")),
    [..."abcdeghi"].map((name) => `./${name}.ts`).concat("./f.ts", "./j.ts later"),
  );
});

test("ignores imports in comments and strings", () => {
  const source = '/**\n * import x from "./x.ts";\n */\n// await import("./y.ts")\n' +
    'const s = \'import("z")\' + "from";\n';
  deepEqual(importsOf(source).filter(({ specifier }) => specifier !== "z"), []);
});

test("removes comments, but not text in strings that looks like one", () => {
  const source = 'a("//b"); // c\n/* d\n */ e(`/* f */`, "\\"//");';
  equal(withoutComments(source), 'a("//b"); \n\n e(`/* f */`, "\\"//");');
});
