import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createDevServer, referenceWorkload } from "../../dev/mod.ts";
import { replay, transcriptFiles } from "./replay.ts";
import { readTranscript, type Transcript } from "./transcript.ts";

const transcripts = await Promise.all((await transcriptFiles()).map(readTranscript));

// The waits in transcripts are real time, so all run at once; each against a server of its own, so
// that none sees another's events. Runtimes differ in whether tests run concurrently: the tests
// only look at the outcomes. Begun in the same instant they would keep the process so busy that
// timers of 10 and 20 ms end together, and so in any order.
const STAGGER = 25;
const outcomes = new Map<Transcript, Promise<Error | undefined>>();

async function play(transcript: Transcript, after: number): Promise<Error | undefined> {
  await sleep(after);
  const server = await createDevServer(referenceWorkload());
  try {
    await replay(server.url, transcript);
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    await server.close();
  }
}

for (const transcript of transcripts) {
  test(`${transcript.name}: ${transcript.about}`, async () => {
    if (outcomes.size === 0) {
      transcripts.forEach((each, i) => outcomes.set(each, play(each, i * STAGGER)));
    }
    const error = await outcomes.get(transcript);
    if (error !== undefined) throw error;
  });
}

// With a filter by name some outcomes are not looked at; their servers still have to close.
after(() => Promise.all(outcomes.values()));
