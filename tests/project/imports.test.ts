import { deepEqual, ok } from "node:assert/strict";
import { builtinModules } from "node:module";
import { posix } from "node:path";
import { test } from "node:test";
import { MAY_IMPORT, MAY_IMPORT_LATER, roomOf } from "./rooms.ts";
import { filesBelow, importsOf, read, readJson, withoutComments } from "./sources.ts";

const library = (await filesBelow()).filter((path) =>
  path.endsWith(".ts") && roomOf(path) !== undefined
);

async function broken(
  check: (path: string, source: string) => string[] | Promise<string[]>,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of library) {
    for (const problem of await check(path, await read(path))) found.push(`${path}: ${problem}`);
  }
  return found;
}

test("every room has files, and every file belongs to a room", async () => {
  for (const room of Object.keys(MAY_IMPORT)) {
    ok(library.some((path) => roomOf(path) === room), room);
  }
  const others = (await filesBelow()).filter((path) =>
    path.endsWith(".ts") && !/^(tests|bench|packaging|recipes)\//.test(path) &&
    roomOf(path) === undefined
  );
  deepEqual(others, []);
});

test("a room imports only from the rooms that the table allows", async () => {
  const found = await broken((path, source) =>
    importsOf(source).flatMap(({ specifier, dynamic }) => {
      if (!specifier.startsWith(".")) return [];
      const from = roomOf(path)!;
      const to = roomOf(posix.join(posix.dirname(path), specifier));
      if (to === from || MAY_IMPORT[from]!.includes(to!)) return [];
      const later = dynamic && MAY_IMPORT_LATER[from]?.includes(to!);
      return later ? [] : [`imports ${specifier} of ${to}`];
    })
  );
  deepEqual(found, []);
});

test("the table allows a room to import only from rooms above it", () => {
  const above: string[] = [];
  for (const [room, known] of Object.entries(MAY_IMPORT)) {
    deepEqual(known.filter((name) => !above.includes(name)), [], room);
    above.push(room);
  }
});

test("the table allows no import that nothing uses", async () => {
  const unused = new Map(Object.entries(MAY_IMPORT).map(([room, known]) => [room, new Set(known)]));
  for (const path of library) {
    for (const { specifier } of importsOf(await read(path))) {
      const to = roomOf(posix.join(posix.dirname(path), specifier));
      if (to !== undefined) unused.get(roomOf(path)!)!.delete(to);
    }
  }
  const found = [...unused].filter(([, known]) => known.size > 0)
    .map(([room, known]) => `${room}: ${[...known].join(", ")}`);
  deepEqual(found, []);
});

test("relative imports name existing files", async () => {
  const all = new Set(await filesBelow());
  const found = await broken((path, source) =>
    importsOf(source)
      .filter(({ specifier }) => specifier.startsWith("."))
      .filter(({ specifier }) => !all.has(posix.join(posix.dirname(path), specifier)))
      .map(({ specifier }) => `imports ${specifier}`)
  );
  deepEqual(found, []);
});

test("other imports name dependencies or modules of Node", async () => {
  const { imports } = await readJson<{ imports: Record<string, string> }>("deno.json");
  const { devDependencies } = await readJson<{ devDependencies: object }>("package.json");
  for (const name of Object.keys(devDependencies)) delete imports[name];
  const found = await broken((_, source) =>
    importsOf(source)
      .map(({ specifier }) => specifier)
      .filter((specifier) =>
        !specifier.startsWith(".") && !(specifier in imports) &&
        !(specifier.startsWith("node:") &&
          (builtinModules.includes(specifier.slice(5)) || builtinModules.includes(specifier)))
      )
      .map((specifier) => `imports ${specifier}`)
  );
  deepEqual(found, []);
});

test("optional dependencies are imported dynamically", async () => {
  const { optionalDependencies } = await readJson<{ optionalDependencies: object }>("package.json");
  const found = await broken((_, source) =>
    importsOf(source.replaceAll(/^import type [^;]*;/gm, ""))
      .filter(({ specifier, dynamic }) => specifier in optionalDependencies && !dynamic)
      .map(({ specifier }) => `imports ${specifier}`)
  );
  deepEqual(found, []);
});

test("the protocol and the runtime load without any package or module of Node", async () => {
  const found = await broken((path, source) =>
    ["protocol", "runtime"].includes(roomOf(path)!)
      ? importsOf(source)
        .filter(({ specifier, dynamic }) => !specifier.startsWith(".") && !dynamic)
        .map(({ specifier }) => `imports ${specifier}`)
      : []
  );
  deepEqual(found, []);
});

test("the library writes nothing to the console", async () => {
  const found = await broken((_, source) =>
    [...withoutComments(source).matchAll(/\bconsole\.(?!ts\b)\w+/g)].map(([call]) => call)
  );
  deepEqual(found, []);
});

test("file names are in snake_case", () => {
  const named = /^_?[a-z0-9]+(_[a-z0-9]+)*(\.test|\.deno_test)?\.ts$/;
  deepEqual(library.filter((path) => !named.test(posix.basename(path))), []);
});
