import { test } from "node:test";
import { createDevServer, createVirtualClock, referenceWorkload } from "../../dev/mod.ts";
import { replay, transcriptFiles } from "./replay.ts";
import { VirtualTime } from "./replay_time.ts";
import { readTranscript } from "./transcript.ts";

for (const file of await transcriptFiles()) {
  const transcript = await readTranscript(file);
  test(`${transcript.name}: ${transcript.about}`, async () => {
    const clock = createVirtualClock({ autoSkip: false });
    await using server = await createDevServer({ ...referenceWorkload(), clock });
    await replay(server.url, transcript, { time: new VirtualTime(server) });
  });
}
