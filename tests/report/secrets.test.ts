import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { encodeBase64 } from "../../protocol/base64.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { Collector } from "./_collector.ts";

/** Random text without repetition, which occurs nowhere else by chance. */
function random(length: number): string {
  const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
  let state = length;
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return letters[Math.floor(state / 65_536) % letters.length];
  }).join("");
}

const SECRETS: Record<string, string> = {
  "with special characters": `s3cr3t/"<pa ss>&wörd|\`@x'${random(8)}`,
  "of 300 characters": random(300),
  "of 300 characters with escapes": `"<${random(300).replace(/(.{20})/g, "$1\\")}>é"`,
  "of several lines": `-----BEGIN KEY-----\n${random(64)}\n${random(63)}\n-----END KEY-----`,
};

/** The shortest part of a secret that counts as a leak, in characters. */
const PART = 12;

/** The encodings of a secret that can be reversed. */
function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const url = encodeURIComponent(secret);
  const base64 = [secret, `x${secret}`, `xy${secret}`, json].map((text) => encodeBase64(text));
  return [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    url,
    // Its ends depend on the text around the secret, so they are not compared.
    ...base64.map((text) => text.replace(/=+$/, "").slice(4, -4)),
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_").slice(4, -4)),
  ].filter((form) => form.length >= PART);
}

const partsOfSecrets = new Map<string, Set<string>>();

/** The parts of a secret that count as leaks, in any encoding. */
function partsOf(secret: string): Set<string> {
  let parts = partsOfSecrets.get(secret);
  if (parts) return parts;
  partsOfSecrets.set(secret, parts = new Set());
  for (const form of formsOf(secret)) {
    for (let i = 0; i + PART <= form.length; i++) parts.add(form.slice(i, i + PART));
  }
  return parts;
}

/** Finds parts of a secret in a text, in any encoding. */
function leaksIn(text: string, secret: string): string[] {
  const parts = partsOf(secret);
  const found: string[] = [];
  for (let i = 0; i + PART <= text.length; i++) {
    const part = text.slice(i, i + PART);
    // The markers of a key are no secret.
    if (parts.has(part) && !"-----BEGIN KEY----------END KEY-----".includes(part)) found.push(part);
  }
  return found;
}

const LEAKING = `
name: Leaking
secrets: [API]
tags: [leak]
vars:
  plain: "\${{ secrets.API }}"
  nested: { "k": ["x\${{ secrets.API }}y"] }
  base64: ""
  base64url: ""
  url: ""
  json: ""
steps:
  - name: named \${{ secrets.API }} and \${{ vars.base64 }}
    id: job
    enqueue: send-email
    payload: { to: "\${{ secrets.API }}", subject: "x\${{ secrets.API }}", body: "\${{ vars.url }} \${{ vars.json }} \${{ vars.base64url }}" }
  - wait: job
  - log: plain \${{ secrets.API }} \${{ vars.base64 }} \${{ vars.base64url }} \${{ vars.url }} \${{ vars.json }}
  - log: \${{ job.payload }}
  - publish: event-\${{ secrets.API }}
    payload: \${{ vars.nested }}
  - start: \${{ secrets.API }}
    soft: true
  - call: job.get
    data: { job_id: "\${{ secrets.API }}" }
    soft: true
  - wait: { channel: "queue:\${{ secrets.API }}" }
    within: 20ms
    soft: true
  - assert: 1 == 2
    name: retried \${{ secrets.API }}
    retry: { attempts: 2, backoff: 1ms }
    soft: true
  - assert: "[secrets.API, vars.base64] == ['a', vars.plain + 'z']"
    soft: true
  - assert: "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' + secrets.API == vars.url"
    soft: true
  - assert: "{'a': secrets.API + 'a'} == {'a': secrets.API + 'b'} || vars.nested.k[0] == job.payload.subject"
    soft: true
  - expect:
      vars.plain: { equals: "\${{ secrets.API + 'z' }}" }
      job.payload: { to: "\${{ secrets.API + 'x' }}" }
      vars.url: { one_of: ["\${{ secrets.API }}"] }
      vars.json: { contains: "\${{ secrets.API + 'x' }}" }
      vars.base64: { matches: "^\${{ vars.base64url }}nope$" }
    soft: true
`;

const ENDS: Record<string, { more: string; code: number }> = {
  passes: { more: "  - assert: true\n", code: 0 },
  fails: { more: "  - assert: vars.plain == vars.base64\n", code: 1 },
  "cannot run": {
    more: "  - call: job.get\n    data: { job_id: '\${{ vars.plain }}' }\n",
    code: 3,
  },
};

const SCRIPT = `
import { recipe } from "RUNNER";
export default recipe("Leaking", { secrets: ["API"] }, async (t) => {
  t.expect([t.secrets.API]).not.toEqual(["x" + t.secrets.API]);
  t.log(t.secrets.API);
  await t.enqueue("send-email", { to: t.secrets.API, subject: "s" }, { name: t.secrets.API });
  t.expect({ a: t.secrets.API }).toEqual({ a: t.secrets.API + "x" });
});
`;

function encodingsOf(secret: string): string[] {
  const base64 = encodeBase64(secret);
  const values = {
    base64,
    base64url: base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
    url: encodeURIComponent(secret),
    json: JSON.stringify(secret),
  };
  return Object.entries(values).flatMap(([name, value]) => ["--var", `${name}=${value}`]);
}

/** The reporters that show the labels of steps. Other reporters may have no secret to mask. */
const SHOW_LABELS = [
  "console",
  "github",
  "html",
  "json",
  "jsonl",
  "junit",
  "markdown",
  "otel",
  "tap",
] as const;

/** The output of a run: its two streams, its requests to a collector, and its files by name. */
type Artefacts = { out: string; err: string; otel: string } & Record<string, string>;

/** Runs a recipe with every reporter, and returns everything that it wrote. */
async function artefactsOf(
  file: string,
  text: string,
  args: readonly string[],
  secret: string,
): Promise<{ code: number; artefacts: Artefacts }> {
  await using collector = await Collector.start();
  return await withFiles({ [file]: text }, async (directory) => {
    const reporters = Object.keys(REPORTERS).flatMap((name) => [
      "--reporter",
      REPORTERS[name]!.writes === "network" ? name : `${name}=${join(directory, `${name}.out`)}`,
    ]);
    const { code, out, err } = await runnerCli(
      [
        ...["run", join(directory, file), ...args, "--verbose"],
        ...["--reporter", "console", ...reporters],
      ],
      {
        env: {
          API: secret,
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
          GITHUB_STEP_SUMMARY: join(directory, "step_summary.out"),
        },
      },
    );
    const otel = collector.requests.map(({ body }) => body).join("\n");
    const artefacts: Artefacts = { out, err, otel };
    for (const name of await readdir(directory)) {
      if (name !== file) artefacts[name] = await readFile(join(directory, name), "utf8");
    }
    return { code, artefacts };
  });
}

for (const [kind, secret] of Object.entries(SECRETS)) {
  for (const [end, { more, code: expected }] of Object.entries(ENDS)) {
    test(`masks a secret ${kind} in every report of a recipe that ${end}`, async () => {
      const { code, artefacts } = await artefactsOf(
        "leak.yaml",
        LEAKING + more,
        encodingsOf(secret),
        secret,
      );
      assert.equal(code, expected, artefacts.out);
      for (const name of SHOW_LABELS) {
        const key = REPORTERS[name]!.writes === "network" ? name : `${name}.out`;
        // Without a mask the report would not contain the secret, and this test would prove nothing.
        assert.ok(artefacts[key]!.includes("***"), `${key}: ${artefacts[key]}`);
      }
      for (const [name, text] of Object.entries(artefacts)) {
        assert.deepEqual(leaksIn(text, secret), [], `in ${name}`);
      }
    });
  }

  test(`masks a secret ${kind} in every report of a script`, async () => {
    const runner = new URL("../../runner/mod.ts", import.meta.url).href;
    const text = SCRIPT.replace("RUNNER", runner);
    const { code, artefacts } = await artefactsOf("leak.recipe.ts", text, [], secret);
    assert.equal(code, 1, artefacts.out);
    for (const [name, text] of Object.entries(artefacts)) {
      assert.deepEqual(leaksIn(text, secret), [], `in ${name}`);
    }
  });
}

test('keeps reports readable if a secret is a word of the runner, such as "passed"', async () => {
  for (const word of ["passed", "steps", "case", "130", "case.finished", "file"]) {
    const text = `secrets: [API]\nsteps:\n  - log: \${{ secrets.API }}\n  - assert: true\n`;
    const { code, artefacts } = await artefactsOf("a.yaml", text, [], word);
    assert.equal(code, 0);
    const summary = JSON.parse(artefacts["json.out"]!);
    assert.equal(summary.cases[0].status, "passed");
    assert.equal(summary.cases[0].logs[0].text, "***");
    assert.match(artefacts["junit.out"]!, /<testcase /);
  }
});

test("the search for leaks finds every encoding", () => {
  for (const secret of Object.values(SECRETS)) {
    for (const form of formsOf(secret)) {
      assert.notDeepEqual(leaksIn(`before ${form} after`, secret), []);
      const half = form.slice(0, Math.max(PART, form.length / 2));
      assert.notDeepEqual(leaksIn(`before ${half}…`, secret), []);
    }
  }
});
