// `cases`: one case for each row of a file.
import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { readCsvRows } from "../../runner/cli/cases/read_csv.ts";
import { readJsonRows } from "../../runner/cli/cases/read_json.ts";
import { Source } from "../../runner/language/source.ts";
import type { RecipeEvent } from "../../runner/mod.ts";
import { runnerCli } from "./_cli.ts";
import { runRecipe, withFiles } from "./_recipe.ts";

const VARS = "vars: { region: eu, amount: 1, urgent: false, tags: [a] }";
const recipe = (file: string, more = "") =>
  `name: Order\ncases: ${file}\n${VARS}\n${more}steps: [{ assert: vars.amount > 0 }]\n`;

const started = (events: readonly RecipeEvent[]) =>
  events.flatMap((event) => event.type === "case.started" ? event : []);

/** The mistakes that `check` finds in a file of cases: line, column and message. */
async function mistakes(file: string, text: string, vars = VARS): Promise<string[]> {
  const yaml = recipe(file).replace(VARS, vars);
  return await withFiles({ "r.yaml": yaml, [file]: text }, async (directory) => {
    const args = ["check", join(directory, "r.yaml"), "--format", "json"];
    const { code, out } = await runnerCli(args);
    equal(code, 2, out);
    return out.trimEnd().split("\n").map((line) => {
      const found = JSON.parse(line);
      const where = found.file.endsWith(file) ? "" : "recipe ";
      return `${where}${found.line}:${found.column}-${found.end_column} ${found.message}`;
    });
  });
}

test("a number that JSON cannot represent is a mistake in each kind of file", async () => {
  const rows = [
    ["rows.json", '[{"n":1e400}]', "1:7-12"],
    ["rows.yaml", "- { n: -.inf }", "1:8-13"],
  ] as const;
  for (const [file, text, where] of rows) {
    deepEqual(await mistakes(file, text, "vars: { n: 0.5, amount: 1 }"), [
      `${where} variable n has a number that JSON cannot represent`,
    ]);
  }
});

const ROWS = [
  { region: "eu", amount: 2, urgent: true, tags: ["x", "y"] },
  { region: 'a, "b"\nc', amount: 3, urgent: false, tags: [] },
];
const FILES = {
  "rows.csv":
    'region,amount,urgent,tags\neu,2,true,"[""x"",""y""]"\n\n"a, ""b""\nc",3,false,[]\r\n',
  "rows.json": JSON.stringify(ROWS),
  "rows.yaml": JSON.stringify(ROWS, undefined, 2),
};

for (const [file, text] of Object.entries(FILES)) {
  test(`${file}: each row is a case with typed values`, async () => {
    const { code, events } = await runRecipe(recipe(file), [], { files: { [file]: text } });
    equal(code, 0);
    deepEqual(started(events).map(({ vars }) => vars), ROWS);
    equal(started(events)[0]!.name, 'Order [region=eu, amount=2, urgent=true, tags=["x","y"]]');
  });
}

test("the column `case` names the case, unless it is a variable", async () => {
  const files = { "c.csv": "case,amount\nsmall,1\nlarge,9\nlarge,8\n" };
  const { events } = await runRecipe(recipe("c.csv"), [], { files });
  deepEqual(started(events).map(({ name }) => name), [
    ...["Order [small]", "Order [large] (1)", "Order [large] (2)"],
  ]);
  const own = "cases: c.csv\nvars: { case: x, amount: 0 }\nsteps: [{ assert: vars.case != 'x' }]\n";
  equal((await runRecipe(own, [], { files })).code, 0);
});

test("with `matrix` each row runs with each combination, and --var wins over the rows", async () => {
  const files = { "c.csv": "case,amount\nA,1\nB,2\n" };
  const { events } = await runRecipe(
    recipe("c.csv", "matrix: { n: [1, 2] }\n"),
    ["--var", "amount=7"],
    { files },
  );
  deepEqual(started(events).map(({ name, vars }) => [name, vars.amount]), [
    ...[["Order [A, n=1]", 7], ["Order [A, n=2]", 7], ["Order [B, n=1]", 7], ["Order [B, n=2]", 7]],
  ]);
});

test("a row can leave out what has a default, and nothing else", async () => {
  const files = { "c.yaml": "- { amount: 5 }\n- { region: us }\n" };
  const { events } = await runRecipe(recipe("c.yaml"), [], { files });
  deepEqual(started(events).map(({ vars }) => [vars.region, vars.amount]), [["eu", 5], ["us", 1]]);
  deepEqual(
    await mistakes("c.yaml", "- { amount: 5 }\n- { region: us }\n", "vars: { amount, region: x }"),
    [
      "2:3-17 variable `amount` has no value",
    ],
  );
});

test("all mistakes of a file are reported at once, with line and column", async () => {
  deepEqual(await mistakes("c.csv", 'amuont,amount,urgent\n1,x,true\n2,3,"yes"\n'), [
    "1:1-7 unknown variable `amuont`",
    "2:3-4 variable amount must be a whole number, not 'x'",
    "3:5-10 variable urgent must be true or false, not 'yes'",
  ]);
  const json = '[{ "amount": 1.5 },\n {"urgent": [1, {"a": "}"}],\n  "region": {}}]';
  deepEqual(await mistakes("c.json", json), [
    "1:14-17 variable amount must be a whole number, not 1.5",
    '2:13-28 variable urgent must be true or false, not [1,{"a":"}"}]',
    "3:13-15 variable region must be text, not {}",
  ]);
  deepEqual(await mistakes("c.yaml", "- amount: x\n- urgent: 1\n"), [
    '1:11-12 variable amount must be a whole number, not "x"',
    "2:11-12 variable urgent must be true or false, not 1",
  ]);
});

test("a file that has another form is refused at its place", async () => {
  const wrong: [file: string, text: string, expected: RegExp][] = [
    ["c.csv", "amount\n", /^1:1-2 the file has no cases$/],
    ["c.csv", "amount,amount\n1,2\n", /^1:8-14 the name `amount` is there twice$/],
    ["c.csv", "amount,\n1,2\n", /^1:8-\d+ a column has no name$/],
    ["c.csv", "amount\n1,2\n", /^2:1-4 the row has 2 values, and the first row has 1$/],
    ["c.csv", "amount,region\n1\n", /^2:1-2 the row has one value, and the first row has 2$/],
    ["c.csv", "amount;region\n1;eu\n", /^1:1-14 the values of a row must be separated by commas$/],
    ["c.csv", "amount,region\r1,eu\r", /^1:1-14 its lines end with CR alone, and must end with LF/],
    ["c.csv", 'amount,region\n1,"e""u\n2,us\n', /^2:3-4 a quoted value has no end$/],
    ["c.csv", 'amount,region\n1,eu\n2,u"s"\n', /^3:4-5 a value that is not quoted has a quote$/],
    ["c.csv", 'amount,region\r\n1, "eu"\r\n', /^2:4-5 a value that is not quoted has a quote$/],
    ["c.csv", '"amount","region"\n1,"e,\n""u" s\n', /^3:5-6 after a quoted value comes more text$/],
    [
      "c.json",
      '[{"amount": 1},\n {"amount": 2, "\\u0061mount": 3}]',
      /^2:16-29 the key `amount` is th/,
    ],
    ["c.json", '[{"case": null, "amount": 2}]', /^1:11-15 `case` must be text$/],
    ["c.yaml", "- case: [1]\n", /^1:9-12 `case` must be text$/],
    ["c.json", '{"amount": 1}', /^1:1-2 the cases must be a list of objects$/],
    ["c.json", '[{"amount": 1}, 7]', /^1:17-18 a case must be an object$/],
    ["c.json", '[{"amount": 1},\n {amount: 2}]', /^2:3-9 expected a key in double quotes/],
    ["c.yaml", "amount: 1\n", /^1:1-2 the cases must be a list of maps$/],
    ["c.yaml", "- amount: 1\n- [2]\n", /^2:3-6 a case must be a map$/],
    ["c.yaml", "- amount: [\n", /./],
  ];
  for (const [file, text, expected] of wrong) {
    const found = await mistakes(file, text);
    equal(found.length, 1, found.join("\n"));
    match(found[0]!, expected);
  }
});

test("a missing file, and one of another kind, are mistakes of the recipe", async () => {
  const { code, out, err } = await runRecipe(recipe("none.csv"));
  equal(code, 2);
  match(out + err, /Cannot read cases '.*none\.csv': no such file\n --> .*r\.yaml:2:8/);
  match((await runRecipe(recipe("rows.txt"))).err, /`cases` must name a file/);
  for (const text of ["", " \n", "\ufeff"]) {
    const empty = await runRecipe(recipe("c.csv"), [], { files: { "c.csv": text } });
    equal(empty.code, 2);
    match(empty.err, /'.*c\.csv' is empty\n --> .*r\.yaml:2:8/);
  }
});

test("a file with thousands of mistakes shows a hundred, and counts the others", async () => {
  const found = await mistakes("c.csv", `amount\n${"x\n".repeat(5000)}`);
  equal(found.length, 101);
  equal(found.at(-1), "102:1-2 and 4900 more mistakes from here on");
});

test("ten thousand rows run, and one more is refused", async () => {
  const rows = (count: number) => `amount\n${"1\n".repeat(count)}`;
  const files = { "r.yaml": recipe("c.csv"), "c.csv": rows(10_000) };
  await withFiles(files, async (directory) => {
    const { out } = await runnerCli(["list", directory, "--format", "json"]);
    equal(JSON.parse(out).cases, 10_000);
  });
  deepEqual(await mistakes("c.csv", rows(10_001)), ["10002:1-2 more than 10000 cases"]);
});

test("a YAML file of cases can be ten times as large as a recipe", async () => {
  const row = '- { region: us, amount: 1, urgent: true, tags: ["a", "b", "c", "d"] }\n';
  const files = { "r.yaml": recipe("c.yml"), "c.yml": row.repeat(3_500) };
  await withFiles(files, async (directory) => {
    const { out } = await runnerCli(["list", join(directory, "r.yaml"), "--format", "json"]);
    equal(JSON.parse(out).cases, 3_500);
  });
  const list = `- { tags: &a [${"1,".repeat(999)}] }\n- [${"*a,".repeat(501)}]\n`;
  deepEqual(await mistakes("c.yml", list), [
    "2:3-4 more than 500,000 values once its aliases are expanded",
  ]);
  deepEqual(await mistakes("c.yml", `# ${"x".repeat(10 << 20)}\n`), [
    "1:1-1 the file must not be larger than 10 MiB",
  ]);
});

test("list counts the rows, and a report cannot replace the file", async () => {
  const files = { "r.yaml": recipe("c.csv"), "c.csv": "amount\n1\n2\n" };
  await withFiles(files, async (directory) => {
    match((await runnerCli(["list", directory])).out, /Order \(2 cases\)/);
    const target = join(directory, "c.csv");
    const { code, err } = await runnerCli([directory, "--reporter", `json=${target}`]);
    equal(code, 2);
    match(err, /is a recipe of this run/);
  });
});

test("every value of a CSV file is found where it stands", async () => {
  const value = fc.string({ unit: fc.constantFrom(...'ab,"\n\r é😀') });
  const table = fc.integer({ min: 1, max: 4 }).chain((columns) =>
    fc.array(fc.array(value, { minLength: columns, maxLength: columns }), { minLength: 1 })
  );
  await fc.assert(fc.asyncProperty(table, async (rows) => {
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const names = rows[0]!.map((_, i) => `c${i}`);
    const text = [names, ...rows.map((row) => row.map(quote))].map((row) => row.join(",")).join(
      "\n",
    );
    const read = await readCsvRows(new Source("x.csv", text));
    deepEqual(read.map(({ cells }) => cells.map(({ input }) => input)), [
      ...rows.map((row) => row.map((text) => ({ text }))),
    ]);
    deepEqual(
      read.map(({ cells }) => cells.map(({ span }) => text.slice(span.start, span.end))),
      rows.map((row) => row.map(quote)),
    );
  }));
});

test("every value of a JSON file is found where it stands", () => {
  const row = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(fc.property(fc.array(row), fc.constantFrom(0, 1), (rows, indent) => {
    const text = JSON.stringify(rows, undefined, indent);
    const expected = JSON.parse(text) as Record<string, unknown>[];
    // A number that JSON cannot hold exactly is refused, which is another test.
    if (/\d{16}/.test(text)) return;
    const read = readJsonRows(new Source("x.json", text));
    deepEqual(
      read.map(({ cells }) =>
        cells.map(({ name, span }) => [name, JSON.parse(text.slice(span.start, span.end))])
      ),
      expected.map((one) => Object.entries(one)),
    );
  }));
});
