// The lines of a file that is read in chunks.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { readLines } from "../../runtime/lines.ts";
import { withFiles } from "./_recipe.ts";

/** Lines with characters of one to four bytes, of which some are longer than several chunks. */
const line = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "ü", "日", "😀", "\r", "\ufeff"), maxLength: 20 }),
  fc.tuple(fc.constantFrom("a", "ü", "日", "😀"), fc.nat(30_000), fc.nat(3))
    .map(([char, times, shift]) => "x".repeat(shift) + char.repeat(times)),
);

test("a file is read as its lines, wherever chunks begin", async () => {
  await withFiles({ "a.txt": "" }, async (directory) => {
    const file = join(directory, "a.txt");
    const texts = fc.array(line, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(texts, async (texts) => {
        await writeFile(file, texts.join("\n"));
        const read: string[] = [];
        let isUnended = false;
        for await (const some of readLines(file, "stream", 1 << 20)) {
          assert.equal(isUnended, false, "only the last line has no end");
          read.push(...some.lines);
          isUnended = some.isUnended;
        }
        // A text that ends with a line end has no line after it.
        assert.equal(isUnended, texts.at(-1) !== "");
        assert.deepEqual(read, texts.at(-1) === "" ? texts.slice(0, -1) : texts);
      }),
      { numRuns: 40 },
    );
  });
});

test("a line may have as many characters as are allowed, and no more", async () => {
  await withFiles({ "a.txt": `${"ü".repeat(50_000)}\nb\n${"ü".repeat(50_000)}` }, async (dir) => {
    const lengths = async (maximum: number) => {
      const read: number[] = [];
      for await (const { lines } of readLines(join(dir, "a.txt"), "stream", maximum)) {
        read.push(...lines.map(({ length }) => length));
      }
      return read;
    };
    assert.deepEqual(await lengths(50_000), [50_000, 1, 50_000]);
    await assert.rejects(lengths(30_000), /a line is longer than 30000 characters/);
  });
});
