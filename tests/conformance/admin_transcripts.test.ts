import { test } from "node:test";
import {
  createDevServer,
  createVirtualClock,
  type DevServer,
  referenceCrons,
  referenceWorkload,
} from "../../dev/mod.ts";
import { ADMIN_TRANSCRIPTS, replay, transcriptFiles } from "./replay.ts";
import { VirtualTime } from "./replay_time.ts";
import { readTranscript } from "./transcript.ts";

const transcripts = await Promise.all(
  (await transcriptFiles(ADMIN_TRANSCRIPTS)).map(readTranscript),
);

function serve(): Promise<DevServer> {
  const clock = createVirtualClock({ autoSkip: false });
  return createDevServer({ ...referenceWorkload(), crons: referenceCrons(), clock });
}

for (const transcript of transcripts) {
  test(`${transcript.name}: ${transcript.about}`, async () => {
    await using server = await serve();
    const time = new VirtualTime(server);
    await replay(server.url, transcript, { time, lateEnqueued: true });
  });
}

test("the transcripts that need no fresh server pass in any order on one server", async () => {
  await using server = await serve();
  const time = new VirtualTime(server);
  for (const transcript of transcripts.toReversed().filter(({ fresh }) => !fresh)) {
    await replay(server.url, transcript, { time, lateEnqueued: true });
  }
});
