import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { importsOf } from "../../runner/script/local_imports.ts";

test("the imports of a module are found wherever they stand", () => {
  const found = (text: string) => importsOf(text).join();
  for (
    const text of [
      `import { a } from "./a.ts";`,
      `import a, {\n  type B,\n  c,\n} from './a.ts'`,
      `import "./a.ts"`,
      `export * from "./a.ts"`,
      `const a = await import("./a.ts");`,
      // In one line with something else.
      `const x = 1; import { a } from "./a.ts";`,
      `/* about a */ import { a } from "./a.ts";`,
      `function f() {} export { a } from "./a.ts";`,
    ]
  ) deepEqual(found(text), "./a.ts", text);
  const both = `import { recipe } from "@dispatch/sdk/runner"; import { a } from "./a.ts";`;
  deepEqual(found(both), "@dispatch/sdk/runner,./a.ts");
  const minified = `import{a}from"./a.ts";import b from"./b.ts";export{c}from"./c.ts"`;
  deepEqual(found(minified), "./a.ts,./b.ts,./c.ts");
});

test("types, values and members that only look like imports are none", () => {
  for (
    const text of [
      `import type { A } from "./a.ts";`,
      `export const a = "./a.ts";`,
      `store.import = "./a.ts";`,
      `const important = "./a.ts";`,
      `exports.a = "./a.ts";`,
      `const text = "from" + "./a.ts";`,
    ]
  ) deepEqual(importsOf(text), [], text);
});
