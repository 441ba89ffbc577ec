// Reports of many cases, which are written in pieces.
import assert from "node:assert/strict";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { itemText, writeDocument } from "../../runner/report/json/document.ts";
import { TextPieces, writePieces } from "../../runner/report/report_file.ts";
import type { Output } from "../../runner/report/reporter.ts";
import { writeTextFile } from "../../runtime/write_file.ts";
import { withFiles } from "../runner/_recipe.ts";

/** An output with or without `writePieces`. */
function outputTo(text: TextPieces, takesPieces: boolean): Output {
  return {
    write: (piece) => text.add(piece),
    ...(takesPieces ? { writePieces: (pieces) => text.addLater(pieces) } : {}),
    ...{ isTerminal: false, color: false, columns: 80 },
  };
}

test("a document with a list of texts is that of their values", () => {
  const values = fc.array(fc.jsonValue(), { maxLength: 4 });
  fc.assert(fc.property(values, fc.jsonValue(), fc.boolean(), (items, other, takesPieces) => {
    for (const depth of [1, 2]) {
      const list = items.map((item) => itemText(item, { depth }));
      const nested = (cases: unknown) => ({ before: other, cases, after: [{ cases: [] }, other] });
      const document = (cases: unknown) => depth === 1 ? nested(cases) : { a: 1, b: nested(cases) };
      const text = new TextPieces();
      writeDocument(outputTo(text, takesPieces), document([]), {
        key: "cases",
        depth,
        items: list,
      });
      const written = [...text].join("");
      const expected = `${JSON.stringify(document(items), undefined, 2)}\n`;
      // Characters that would control a terminal are escaped in the text, and not in the values.
      if (!/[^\n -~]|##/.test(expected)) assert.equal(written, expected);
      assert.deepEqual(JSON.parse(written), JSON.parse(expected));
      assert.equal(written.split("\n").length, expected.split("\n").length);
    }
  }));
});

test("pieces are in order, whatever their number, and can be read again", () => {
  const text = new TextPieces();
  const output = outputTo(text, true);
  for (let i = 0; i < 2_500; i++) text.add(`${i},`);
  writePieces(output, () => ["a", "b"]);
  text.add("end");
  const expected = `${Array.from({ length: 2_500 }, (_, i) => `${i},`).join("")}abend`;
  assert.equal([...text].join(""), expected);
  assert.equal([...text].join(""), expected);
  assert.ok([...text].length < 10);
});

test("a file that is written in pieces has all of them, and keeps its mode", async () => {
  await withFiles({ "report.txt": "before" }, async (directory) => {
    const file = join(directory, "report.txt");
    await chmod(file, 0o640);
    const pieces = Array.from({ length: 5_000 }, (_, i) => `${i} – 日本語 😀 ${"x".repeat(30)}\n`);
    await writeTextFile(file, pieces);
    assert.equal(await readFile(file, "utf8"), pieces.join(""));
    assert.equal((await stat(file)).mode & 0o777, 0o640);
    await writeTextFile(file, []);
    assert.equal(await readFile(file, "utf8"), "");
    // What fails on its way leaves the file as it was.
    await writeFile(file, "before");
    const failing = function* () {
      yield "x".repeat(100_000);
      throw new Error("no more");
    };
    await assert.rejects(writeTextFile(file, failing()), /no more/);
    assert.equal(await readFile(file, "utf8"), "before");
  });
});
