import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { callSites } from "../../runner/events/call_site.ts";
import { firstLine } from "../../runner/script/module_error.ts";

const FRAMES = {
  Linux: ["/$bunfs/root/dispatch-linux-x64:7:1", "/runner/orders.ts"],
  Windows: ["B:/~BUN/root/_12.js:7:1", "C:/runner/orders.ts"],
};

for (const [system, [own, file]] of Object.entries(FRAMES)) {
  test(`frames of an executable's own modules are left out on ${system}`, () => {
    const stack = `Error: no\n    at fail (${own})\n    at async ${file}:3:5`;
    deepEqual(callSites(stack), [{ file, line: 3, column: 5 }]);
  });
}

test("a failed import does not name the module of the runner that imports", () => {
  const missing = "Cannot find module '/me/a.ts'";
  for (
    const importer of [
      "/clone/runner/script/load_script.ts",
      "/me/node_modules/@dispatch/sdk/dev/load_workload.js",
      "/$bunfs/root/dispatch-98ykdbd8.js",
      "B:\\~BUN\\root\\_12.js",
    ]
  ) {
    equal(firstLine(new Error(`${missing} imported from ${importer}`)), missing);
  }
  const users = `${missing} imported from /me/b.ts`;
  equal(firstLine(new Error(users)), users);
});
