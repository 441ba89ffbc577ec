import { deepEqual, equal, match, throws } from "node:assert/strict";
import { test } from "node:test";
import { readJunit } from "../run_junit.mjs";

const outcomes = (xml: string): string[] =>
  readJunit(`<?xml version="1.0"?><testsuites>${xml}</testsuites>`)
    .map(({ name, outcome }) => `${name}: ${outcome}`);

test("reads passed, failed and skipped tests", () => {
  deepEqual(
    outcomes(`<testsuite name="s"><testcase name="a" file="f.ts"/>
      <testcase name="b"><failure message="m">text</failure></testcase>
      <testcase name="c"><skipped/></testcase>
      <testcase name="d"></testcase></testsuite>
      <testcase name="e"><error message="m"/></testcase>`),
    ["a: passed", "b: failed", "c: skipped", "d: passed", "e: failed"],
  );
});

test("reads the name, file and text of a failure", () => {
  const [failed] = readJunit(
    `<testsuites><testcase name="a &gt; &lt;b&gt; &quot;" file="x/y.ts" failure="c > d">` +
      `<failure message="1 &#10;2">3 &amp; 4<![CDATA[ <5> ]]></failure></testcase></testsuites>`,
  );
  equal(failed?.name, 'a > <b> "');
  equal(failed?.file, "x/y.ts");
  equal(failed?.text, "1 \n2\n3 & 4 <5> ");
});

test("takes the class name for the file if there is no file", () => {
  equal(readJunit(`<testsuites><testcase classname="f.ts"/></testsuites>`)[0]?.file, "f.ts");
});

test("ignores tags inside attributes and comments", () => {
  deepEqual(
    outcomes(`<!-- <testcase name="no"/> --><testcase name="a > <failure>" note='"/>'/>`),
    ["a > <failure>: passed"],
  );
});

test("counts the steps of a test instead of the test, unless the test itself failed", () => {
  const steps = `<testcase name="p &gt; one"/><testcase name="p &gt; two &gt; deep"/>`;
  deepEqual(outcomes(`<testcase name="p"/>${steps}`), [
    "p > one: passed",
    "p > two > deep: passed",
  ]);
  const byStep = `<testcase name="p"><failure message="1 test step failed">x</failure></testcase>`;
  equal(outcomes(byStep + steps).length, 2);
  const byItself = `<testcase name="p"><failure message="Uncaught Error">x</failure></testcase>`;
  deepEqual(outcomes(byItself + steps)[0], "p: failed");
});

test("throws if the report is incomplete", () => {
  throws(() => readJunit(""), /incomplete/);
  throws(() => readJunit(`<testsuites><testcase name="a"/>`), /incomplete/);
  throws(() => readJunit(`<testsuites><testcase name="a`), SyntaxError);
});

test("ignores a failure outside of tests", () => {
  deepEqual(outcomes(`<failure message="x">y</failure><testcase name="a"/>`), ["a: passed"]);
  match(String(outcomes("")), /^$/);
});
