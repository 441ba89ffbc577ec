import { test } from "node:test";
import { createDevServer, referenceWorkload } from "../../dev/mod.ts";
import { checkCredits } from "./credits.ts";

test("a connection starts with 1,000 credits, and receives more events only after a top-up", async () => {
  await using server = await createDevServer(referenceWorkload());
  await checkCredits(server.url);
});
