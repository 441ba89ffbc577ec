import { test } from "node:test";
import { createDevServer, referenceWorkload } from "../../dev/mod.ts";
import { checkCredits } from "./credits.ts";

test("a connection has 1,000 events to go, and more only on request", async () => {
  const server = await createDevServer(referenceWorkload());
  try {
    await checkCredits(server.url);
  } finally {
    await server.close();
  }
});
