import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../helpers/eventually.ts";
import { Recorder } from "../helpers/recorder.ts";
import { connected } from "../helpers/server.ts";
import { read } from "../project/sources.ts";

test("a subscription receives the events of its channel only", async () => {
  await using fixture = await connected();
  const { client } = fixture;
  const seen = new Recorder(await client.subscribe("queue:mail"));
  await client.enqueue("noop", null, { queue: "default" });
  const job = await client.enqueue("noop", null, { queue: "mail" });
  await eventually(() => seen.items.length > 0);
  deepEqual(seen.of("job.enqueued").map(({ topic }) => topic), [`job:${job.job_id}`]);
});

test("docs/testing.md shows the test above", async () => {
  const source = (await read("tests/docs/testing.test.ts"))
    .replace(/\ntest\("docs[^]*$/, "")
    .replace("import { deepEqual, ok }", "import { deepEqual }")
    .replace('import { read } from "../project/sources.ts";\n', "");
  ok((await read("docs/testing.md")).includes(`\`\`\`ts ignore\n${source}\`\`\`\n`));
});
