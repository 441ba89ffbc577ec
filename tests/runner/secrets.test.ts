import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { remoteServer } from "../../runner/cli/server.ts";
import { Mask } from "../../runner/engine/mask.ts";
import { encodeBase64 } from "../../protocol/base64.ts";
import { runnerCli } from "./_cli.ts";
import { runRecipe, withFiles } from "./_recipe.ts";

const SECRET = 's3cr3t/"<pa ss>&wörd';

/** The encodings of the secret that must not appear; base64 in each of its three alignments. */
function forms(): string[] {
  const json = JSON.stringify(SECRET).slice(1, -1);
  const core = (text: string) => encodeBase64(text).replace(/=+$/, "");
  return [
    SECRET,
    json,
    encodeURIComponent(SECRET),
    core(SECRET).slice(0, -1),
    core(`x${SECRET}`).slice(4, -2),
    core(`xy${SECRET}`).slice(4, -2),
    core(json).slice(0, -1),
  ];
}

const RECIPE = `
name: Secret
secrets: [API]
vars: { from_var: "\${{ secrets.API }}" }
steps:
  - name: a step named \${{ secrets.API }}
    id: job
    enqueue: send-email
    payload: { to: "\${{ secrets.API }}", subject: "x\${{ secrets.API }}", n: { "k": ["\${{ vars.from_var }}"] } }
  - wait: job
  - log: plain \${{ secrets.API }}
  - log: \${{ job.payload }}
  - id: order
    start: \${{ secrets.API }}
    soft: true
  - call: job.get
    data: { job_id: "\${{ secrets.API }}" }
    soft: true
  - publish: event-\${{ secrets.API }}
  - wait: { channel: "queue:\${{ secrets.API }}" }
    within: 20ms
    soft: true
  - assert: vars.from_var == "something else" && job.payload.subject == vars.from_var
    soft: true
  - expect:
      job.payload: { to: '\${{ secrets.API + "x" }}' }
`;

test("reports, --verbose and --dry-run contain no secret, in any encoding", async () => {
  await withFiles({ "secret.yaml": RECIPE }, async (directory) => {
    const file = join(directory, "secret.yaml");
    const reports = ["console", "jsonl"].map((name) => join(directory, `${name}.txt`));
    const args = [
      "run",
      file,
      ...["console", "jsonl"].flatMap((name, i) => ["--reporter", `${name}=${reports[i]}`]),
      "--reporter",
      "console",
      "--verbose",
    ];
    const { code, out, err } = await runnerCli(args, { env: { API: SECRET } });
    assert.equal(code, 1, out + err);
    const dry = await runnerCli(["run", file, "--dry-run"], { env: { API: SECRET } });
    assert.equal(dry.code, 0, dry.err);
    const outputs: Record<string, string> = { out, err, dry: dry.out + dry.err };
    for (const report of reports) outputs[report] = await readFile(report, "utf8");
    for (const [name, output] of Object.entries(outputs)) {
      for (const form of forms()) assert.ok(!output.includes(form), `${form} is in ${name}`);
    }
    // The secret would have been in all of these.
    assert.ok(out.includes("plain ***"));
    assert.match(err, /→ \{.*"method":"job.enqueue".*"to":"\*\*\*"/);
    assert.match(err, /← \{.*"payload":"[^"]*\*\*\*/);
    assert.ok(out.includes("a step named ***"));
    assert.ok(dry.out.includes('from_var = "***"'));
  });
});

test("a rejected token is masked", async () => {
  const { createDevServer, referenceWorkload } = await import("../../dev/mod.ts");
  const recipe = 'schedule: { cron: "* * * * * *" }\nsteps: [{ assert: "true" }]\n';
  const server = await createDevServer(referenceWorkload());
  try {
    for (const [command, exitCode] of [["run", 3], ["schedule", 0]] as const) {
      const stop = new AbortController();
      const { code, out, err } = await withFiles({ "r.yaml": recipe }, (directory) =>
        runnerCli(
          [command, directory, "--url", server.url, "--token", SECRET, "--verbose"],
          {
            signal: stop.signal,
            onOut: (text) => void (text.includes("could not run in") && stop.abort()),
          },
        ));
      assert.equal(code, exitCode, out + err);
      assert.ok(err.includes('"token":"***"'));
      for (const form of forms()) assert.ok(!(out + err).includes(form));
    }
  } finally {
    await server.close();
  }
});

test("the name of a server contains no user, password, query or fragment", () => {
  for (
    const [url, name] of [
      ["ws://host:1/dwp", "ws://host:1/dwp"],
      ["ws://user@host:1/dwp", "ws://host:1/dwp"],
      ["ws://:password@host:1/dwp", "ws://host:1/dwp"],
      ["ws://host:1/dwp?key=x", "ws://host:1/dwp"],
      ["ws://host:1/dwp#x", "ws://host:1/dwp"],
      ["user:password@host/dwp?key=x", "host/dwp"],
      ["user@not a url", "not a url"],
    ] as const
  ) assert.equal(remoteServer(url, "token").name, name);
});

test("a mask finds a secret in every alignment of base64", () => {
  const mask = new Mask();
  mask.add(SECRET);
  for (const before of ["", "a", "ab", "abc"]) {
    const text = encodeBase64(`${before}${SECRET}zzz`);
    const masked = mask.text(text);
    assert.ok(masked.includes("***"), `not found behind '${before}'`);
    for (const form of forms()) assert.ok(!masked.includes(form));
  }
});

test("a mask finds the encodings of different libraries", () => {
  const strict = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  const ascii = (text: string, capitals: boolean) =>
    JSON.stringify(text).slice(1, -1).replace(/[^ -~]/g, (char) => {
      const code = char.charCodeAt(0).toString(16).padStart(4, "0");
      return `\\u${capitals ? code.toUpperCase() : code}`;
    });
  for (
    const secret of ["p!ss'(w)*~ord", "Ab/Cd Ef", "über/😀ß", 'back\\\\slash\\"/\n\tend', "Hunt"]
  ) {
    const mask = new Mask();
    mask.add(secret);
    const json = JSON.stringify(secret).slice(1, -1);
    const forms = [
      ...[secret, json, JSON.stringify(json).slice(1, -1), json.replaceAll("/", "\\/")],
      ...[
        ascii(secret, false),
        ascii(secret, true),
        JSON.stringify(ascii(secret, true)).slice(1, -1),
      ],
      ...[encodeURIComponent(secret), strict(secret), encodeURI(secret)],
      encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
      new URLSearchParams({ a: secret }).toString().slice(2),
    ];
    for (const form of forms) {
      assert.equal(mask.text(`{"a":"${form}"}`), '{"a":"***"}', form);
      for (const before of ["", "x", "xy"]) {
        const masked = mask.text(`before ${encodeBase64(`${before}${form}zzz`)}`);
        assert.ok(masked.includes("***"), `${form} in base64 behind '${before}': ${masked}`);
      }
    }
  }
});

test("a mask removes every base64 character that contains bits of the secret", () => {
  const mask = new Mask();
  mask.add("Hunt");
  mask.add("user:pä>>>ss");
  assert.equal(mask.text(encodeBase64("xHunt")), "e***");
  assert.equal(mask.text(encodeBase64('{"n":"Hunt"}')), "eyJuIjoi***J9");
  assert.equal(mask.text(encodeBase64('{"to":"Hunt"}')), "eyJ0byI6I***ifQ==");
  for (const before of ["", "x", "xy"]) {
    for (const after of ["", "z", "zz"]) {
      const encoded = encodeBase64(`${before}user:pä>>>ss${after}`);
      // The remaining characters encode only what was around the secret.
      const [end, all] = [13, 13 + after.length].map((size) => before.length + size);
      const left = Math.floor(before.length * 8 / 6);
      const right = Math.ceil(all! * 8 / 6) - Math.ceil(end! * 8 / 6);
      for (const form of [encoded, encoded.replaceAll("+", "-"), encodeURIComponent(encoded)]) {
        const masked = mask.text(form).replace(/(=|%3D)+$/, "");
        assert.match(masked, new RegExp(`^\\w{${left}}\\*{3}\\w{${right}}$`), form);
      }
    }
  }
  // Text that only looks similar stays.
  assert.equal(mask.text("SHVu SHVo dA== user:pass"), "SHVu SHVo dA== user:pass");
});

test("a mask replaces secrets in keys, lists and numbers", () => {
  const mask = new Mask();
  mask.add("12345");
  assert.deepEqual(mask.value({ "k12345": [12345, "x12345y", { a: null, b: true }], n: 7 }), {
    "k***": ["***", "x***y", { a: null, b: true }],
    n: 7,
  });
  assert.equal(
    JSON.stringify(mask.value(JSON.parse('{"__proto__":12345}'))),
    '{"__proto__":"***"}',
  );
});

test("a mask ignores a secret that is too short", () => {
  const mask = new Mask();
  mask.add("a");
  assert.equal(mask.text("banana"), "banana");
});

test("warns about a secret that is too short to be masked", async () => {
  const { events } = await runRecipe(
    "secrets: [PIN, WORD]\nsteps:\n  - assert: size(secrets.PIN) == 2\n",
    [],
    { env: { PIN: "12", WORD: "long enough" } },
  );
  const warnings = events.filter((event) => event.type === "warning");
  assert.deepEqual(warnings.map(({ text }) => text), [
    "secret `PIN` is too short to be masked in the output",
  ]);
});

const USED = {
  "outer.yaml": `
steps:
  - log: before, hunter2hunter2
  - parallel:
      - use: inner.yaml
`,
  "inner.yaml": `
vars: { region: }
secrets: [PASSWORD]
steps:
  - assert: secrets.PASSWORD != ""
`,
};

test("missing variables and secrets of a used recipe are reported before any step runs", async () => {
  await withFiles(USED, async (directory) => {
    const { code, out, err } = await runnerCli([join(directory, "outer.yaml")]);
    assert.equal(code, 2);
    assert.match(err + out, /variable `region` has no value\n --> .*inner\.yaml:2:9/);
    assert.match(err + out, /secret `PASSWORD` is not in the environment\n --> .*inner\.yaml:3:11/);
    assert.ok(!out.includes("before"));
  });
  const files = { ...USED, "outer.yaml": `vars: { region: north }${USED["outer.yaml"]}` };
  await withFiles(files, async (directory) => {
    const args = [join(directory, "outer.yaml"), "--var", "region=south"];
    const { err } = await runnerCli(args, { env: { PASSWORD: "hunter2hunter2" } });
    assert.match(err, /variable `region` has no value\n --> .*inner\.yaml:2:9/);
  });
});

test("the secrets of a used recipe are masked from the first step", async () => {
  const files = { ...USED, "inner.yaml": USED["inner.yaml"].replace("region:", "region: north") };
  await withFiles(files, async (directory) => {
    const env = { PASSWORD: "hunter2hunter2" };
    const { code, out } = await runnerCli([join(directory, "outer.yaml")], { env });
    assert.equal(code, 0, out);
    assert.ok(out.includes("before, ***"));
  });
});
