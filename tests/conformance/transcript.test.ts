import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { transcriptFiles } from "./replay.ts";
import { parseTranscript, readTranscript } from "./transcript.ts";

const HEAD = '{"transcript":"t","about":"x"}\n';

test("parses steps with their line numbers", () => {
  const { name, about, steps } = parseTranscript(
    HEAD + '{"conn":"a","open":true}\n\n{"wait":5}\n{"conn":"a","close":"client"}\n',
    "t.jsonl",
  );
  equal(name, "t");
  equal(about, "x");
  deepEqual(steps, [
    { kind: "open", conn: "a", line: 2 },
    { kind: "wait", ms: 5, line: 4 },
    { kind: "close", conn: "a", by: "client", line: 5 },
  ]);
});

test("rejects an invalid line and names its number", () => {
  for (const line of ['{"conn":"a"}', '{"send":{}}', '{"conn":"a","close":"both"}', "[]"]) {
    throws(() => parseTranscript(HEAD + line, "t.jsonl"), /t\.jsonl:2/);
  }
  throws(() => parseTranscript("", "t.jsonl"), /empty/);
  throws(() => parseTranscript('{"wait":5}', "t.jsonl"), /has no 'transcript'/);
});

test("every transcript file can be parsed, and has the name of the file and a description", async () => {
  const files = await transcriptFiles();
  ok(files.length > 28);
  for (const file of files) {
    const { name, about, steps } = await readTranscript(file);
    equal(`${name}.jsonl`, file.pathname.split("/").at(-1));
    ok(about.length > 0, name);
    ok(steps.length > 2, name);
  }
});
