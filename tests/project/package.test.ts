import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { VERSION_PATTERN, versionsByFile } from "../../packaging/version.ts";
import { VERSION } from "../../runner/cli/command.ts";
import { filesBelow, read, readJson, ROOT, withoutComments } from "./sources.ts";

interface DenoJson {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
}

interface PackageJson {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

interface Tools {
  name: string;
  dependencies: Record<string, string>;
}

interface LockFile {
  packages: Record<string, { version?: string; resolved?: string; integrity?: string }>;
}

const deno = await readJson<DenoJson>("deno.json");
const npm = await readJson<PackageJson>("package.json");
const tools = await readJson<Tools>("tests/tools/package.json");

/** Splits `npm:@scope/name@1.2.3/path` into its parts. */
function parse(specifier: string): { name: string; version: string; path: string } {
  const found = /^npm:((?:@[^/@]+\/)?[^/@]+)@([^/]+)(\/.*)?$/.exec(specifier);
  ok(found, specifier);
  return { name: found[1]!, version: found[2]!, path: found[3] ?? "" };
}

test("deno.json and package.json agree on name, version, licence and exports", () => {
  equal(npm.name, deno.name);
  equal(npm.version, deno.version);
  equal(npm.license, deno.license);
  deepEqual(npm.exports, deno.exports);
});

test("the version of deno.json stands in all files that have it, and is what --version prints", () => {
  for (const [file, versions] of Object.entries(versionsByFile(ROOT))) {
    ok(versions.length > 0, file);
    for (const version of versions) equal(version, deno.version, file);
  }
  equal(VERSION, deno.version);
  match(deno.version, VERSION_PATTERN);
});

test("every export names an existing file", async () => {
  const files = await filesBelow();
  for (const path of Object.values(deno.exports)) ok(files.includes(path.slice(2)), path);
});

test("deno.json and package.json agree on the dependencies and their exact versions", () => {
  const versions: Record<string, string> = {};
  for (const [key, specifier] of Object.entries(deno.imports)) {
    const { name, version, path } = parse(specifier);
    match(version, /^\d+\.\d+\.\d+$/);
    equal(key, name + path);
    equal(versions[name] ?? version, version, name);
    versions[name] = version;
  }
  const { devDependencies, ...npmOwn } = npm;
  const dependencies = { ...npmOwn.dependencies, ...npmOwn.optionalDependencies };
  // The import map also has what only tests import.
  const known: Record<string, string | undefined> = { ...devDependencies, ...dependencies };
  for (const [name, version] of Object.entries(versions)) equal(known[name], version, name);
  deepEqual(Object.keys(dependencies).filter((name) => !(name in versions)), []);
});

test("the development dependencies and the tools have exact versions", () => {
  const { [tools.name]: link, ...others } = npm.devDependencies;
  equal(link, "file:tests/tools");
  for (const version of Object.values({ ...others, ...tools.dependencies })) {
    // Further versions of Node have names of their own.
    match(version, /^(?:npm:node@)?\d+\.\d+\.\d+$/);
  }
});

test("package-lock.json has the versions of package.json and no download URL", async () => {
  const { packages } = await readJson<LockFile>("package-lock.json");
  const { [tools.name]: _, ...development } = { ...npm.devDependencies, ...tools.dependencies };
  const all = { ...npm.dependencies, ...npm.optionalDependencies, ...development };
  for (const [name, version] of Object.entries(all)) {
    const expected = version.replace("npm:node@", "");
    equal(packages[`node_modules/${name}`]?.version, expected, name);
  }
  const downloads = Object.values(packages).filter(({ resolved = "" }) => /:/.test(resolved));
  deepEqual(downloads, []);
  ok(!/https?:\/\/[^"]*\.tgz/.test(await read("package-lock.json")));
});

test("deno.lock has every dependency and no download URL", async () => {
  const lock = await read("deno.lock");
  const { specifiers } = JSON.parse(lock) as { specifiers: Record<string, string> };
  // A task rewrites an incomplete lock file.
  const { [tools.name]: _, ...development } = npm.devDependencies;
  const all = { ...npm.dependencies, ...npm.optionalDependencies, ...development };
  for (const [name, version] of Object.entries(all)) {
    const locked = specifiers[`npm:${name}@${version}`];
    ok(locked === version || locked?.startsWith(`${version}_`), name);
  }
  ok(!/https?:/.test(lock));
});

test("mod.ts files contain only named re-exports", async () => {
  const found: string[] = [];
  for (const path of (await filesBelow()).filter((path) => /(^|\/)mod\.ts$/.test(path))) {
    const rest = withoutComments(await read(path))
      .replaceAll(/export\s+(?:type\s+)?\{[^}]*\}\s*from\s*"[^"]+";/g, "")
      // This file names the types of the protocol that several entry points export.
      .replace(/export type \* from "[./]*\/protocol\/public_types\.ts";/, "");
    if (rest.trim() !== "") found.push(path);
  }
  deepEqual(found, []);
});

test("every entry point has a module comment", async () => {
  for (const path of Object.values(deno.exports)) {
    match(await read(path.slice(2)), /^\/\*\*[\s\S]*?@module\b[\s\S]*?\*\//, path);
  }
});

test("no file contains a path of a particular machine", async () => {
  const places = new RegExp(String.raw`(^|[\s"'\x60(=:,])/(work|root|tmp|home)/`, "m");
  const found: string[] = [];
  for (const path of await filesBelow()) {
    if (places.test(await read(path))) found.push(path);
  }
  deepEqual(found, []);
});
