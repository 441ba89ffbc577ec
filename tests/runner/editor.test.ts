// The recipe schema in the language server of VS Code's YAML extension.
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { after, test } from "node:test";
import { listDirectory, readTextFile } from "../../runtime/file.ts";
import { BEYOND_A_SCHEMA } from "./_beyond_a_schema.ts";
import { type LspPosition, YamlLanguageServer } from "./_language_server.ts";

const address = (path: string) => pathToFileURL(join(process.cwd(), path)).href;
const MODELINE = `# yaml-language-server: $schema=${address("runner/recipe.schema.json")}\n`;

const server = await YamlLanguageServer.start();
after(() => server[Symbol.asyncDispose]());

async function yamlFiles(directory: string): Promise<string[]> {
  const names = (await listDirectory(directory)).filter((name) => name.endsWith(".yaml"));
  assert.ok(names.length > 0, directory);
  return names;
}

let count = 0;

/** Opens a text with the schema's line above it, and returns the position of `|`, which is removed. */
async function openMarked(text: string): Promise<[uri: string, position: LspPosition]> {
  const whole = MODELINE + text;
  const before = whole.slice(0, whole.indexOf("|")).split("\n");
  const uri = `file:///marked/${++count}.yaml`;
  await server.open(uri, whole.replace("|", ""));
  return [uri, { line: before.length - 1, character: before.at(-1)!.length }];
}

test("accepts the recipes of this project, and uses the schema they name", async () => {
  await Promise.all((await yamlFiles("recipes")).map(async (name) => {
    const text = await readTextFile(`recipes/${name}`);
    assert.match(text, /^# yaml-language-server: \$schema=/, name);
    assert.deepEqual(await server.open(address(`recipes/${name}`), text), [], name);
    const wrong = `${text}\nstesp: []\n`;
    assert.equal((await server.open(address(`recipes/wrong-${name}`), wrong)).length, 1, name);
  }));
});

test("accepts the examples of docs/recipes.md", async () => {
  const docs = await readTextFile("docs/recipes.md");
  const examples = [...docs.matchAll(/(?:<!-- (.*?) -->\n+)?```yaml\n([^]*?)```\n/g)];
  assert.ok(examples.length > 10);
  await Promise.all(examples.map(async ([, note = "", text = ""], i) => {
    const found = await server.open(`file:///docs/${i}.yaml`, MODELINE + text);
    if (note.startsWith("error")) assert.ok(found.length > 0, text);
    else assert.deepEqual(found, [], text);
  }));
});

test("rejects the golden recipes, except those with errors that a schema cannot express", async () => {
  await Promise.all((await yamlFiles("tests/golden")).map(async (name) => {
    // The language server expands aliases, and this file has billions of values.
    if (name === "too-large.yaml" || BEYOND_A_SCHEMA.has(name.slice(0, -5))) return;
    const text = MODELINE + await readTextFile(`tests/golden/${name}`);
    assert.ok((await server.open(`file:///golden/${name}`, text)).length > 0, name);
  }));
});

test("completes all keys in an empty step, and the keys of its kind in any other", async () => {
  const labels = async (text: string) => await server.complete(...await openMarked(text));
  const all = await labels("steps:\n  - |\n");
  for (const key of ["enqueue", "wait", "assert", "use", "id", "within", "for_each"]) {
    assert.ok(all.includes(key), key);
  }
  const wait = await labels("steps:\n  - wait: a\n    |\n");
  for (const key of ["until", "until_step", "fail_on", "within"]) {
    assert.ok(wait.includes(key), key);
  }
  for (const key of ["payload", "retry", "wait"]) assert.ok(!wait.includes(key), key);
  const states = await labels("steps:\n  - wait: a\n    until: |\n");
  assert.ok(states.includes("completed") && states.includes("failed"), String(states));
});

test("shows the description of a key on hover", async () => {
  const shown = async (text: string) => await server.hover(...await openMarked(text));
  assert.match(await shown("steps:\n  - enq|ueue: x\n"), /The job's name\./);
  assert.match(await shown("steps:\n  - wait: a\n    wit|hin: 3s\n"), /How long the step may take/);
  assert.match(await shown("time|out: 3s\nsteps: [{ wait: a }]\n"), /5 minutes by default/);
});
