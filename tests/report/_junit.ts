import { XMLParser, XMLValidator } from "fast-xml-parser";

/** The rules of Jenkins' schema: for each element its attributes, `true` if required, and children. */
const RULES: Record<string, { attributes: Record<string, boolean>; elements: string[] }> = {
  testsuites: {
    attributes: { name: false, time: false, tests: false, failures: false, errors: false },
    elements: ["testsuite"],
  },
  testsuite: {
    attributes: {
      ...{ name: true, tests: true, failures: true, errors: true },
      ...{ group: false, time: false, skipped: false, timestamp: false, hostname: false },
      ...{ id: false, package: false, file: false, log: false, url: false },
    },
    elements: ["testsuite", "properties", "testcase", "system-out", "system-err"],
  },
  properties: { attributes: {}, elements: ["property"] },
  property: { attributes: { name: true, value: true }, elements: [] },
  testcase: {
    attributes: { name: true, time: false, classname: false, group: false },
    elements: [
      ...["skipped", "error", "failure", "rerunFailure", "rerunError"],
      ...["flakyFailure", "flakyError", "system-out", "system-err"],
    ],
  },
  skipped: { attributes: { type: false, message: false }, elements: ["#text"] },
  error: { attributes: { type: false, message: false }, elements: ["#text"] },
  failure: { attributes: { type: false, message: false }, elements: ["#text"] },
  flakyFailure: {
    attributes: { type: true, message: false },
    elements: ["#text", "stackTrace", "system-out", "system-err"],
  },
  rerunFailure: {
    attributes: { type: true, message: false },
    elements: ["#text", "stackTrace", "system-out", "system-err"],
  },
  stackTrace: { attributes: {}, elements: ["#text"] },
  "system-out": { attributes: {}, elements: ["#text"] },
  "system-err": { attributes: {}, elements: ["#text"] },
};

/** Elements whose children have a fixed order. */
const ORDERED: Record<string, string[]> = {
  rerunFailure: ["stackTrace", "system-out", "system-err"],
  flakyFailure: ["stackTrace", "system-out", "system-err"],
};

type XmlNode = Record<string, XmlNode[] | string> & { ":@"?: Record<string, string> };

/** Checks a document against the rules of Jenkins' schema for JUnit reports. */
export function junitProblems(xml: string): string[] {
  const problems: string[] = [];
  // deno-lint-ignore no-control-regex -- XML forbids these characters.
  const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u.exec(xml);
  if (forbidden) problems.push(`a forbidden character at ${forbidden.index}`);
  const wellFormed = XMLValidator.validate(xml);
  if (wellFormed !== true) return [...problems, wellFormed.err.msg];
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: "",
    parseTagValue: false,
    ignoreDeclaration: true,
    trimValues: false,
    processEntities: false,
  });
  const check = (node: XmlNode, path: string): void => {
    const name = nameOf(node);
    const rule = RULES[name];
    if (!rule) return void problems.push(`${path}: unknown element`);
    const attributes = node[":@"] ?? {};
    for (const [attribute, required] of Object.entries(rule.attributes)) {
      if (required && !(attribute in attributes)) problems.push(`${path}: ${attribute} is missing`);
    }
    for (const [attribute, value] of Object.entries(attributes)) {
      if (!(attribute in rule.attributes)) problems.push(`${path}: ${attribute} is not allowed`);
      const numeric = ["time", "tests", "failures", "errors", "skipped"].includes(attribute);
      if (numeric && !/^\d+(\.\d+)?$/.test(value)) problems.push(`${path}: ${attribute}=${value}`);
    }
    const inside = (node[name] as XmlNode[]).filter((child) =>
      nameOf(child) !== "#text" || rule.elements.includes("#text") ||
      (child["#text"] as string).trim() !== ""
    );
    for (const child of inside) {
      const inner = nameOf(child);
      if (!rule.elements.includes(inner)) problems.push(`${path}: ${inner} is not allowed`);
      else if (inner !== "#text") check(child, `${path}/${inner}`);
    }
    const order = ORDERED[name];
    const names = inside.map(nameOf).filter((inner) => inner !== "#text");
    if (order && names.join() !== order.filter((one) => names.includes(one)).join()) {
      problems.push(`${path}: ${names.join()}`);
    }
  };
  const roots = (parser.parse(xml) as XmlNode[]).filter((node) => nameOf(node) !== "#text");
  if (roots.length !== 1 || nameOf(roots[0]!) !== "testsuites") {
    problems.push("the root is not testsuites");
  }
  for (const root of roots) check(root, nameOf(root));
  return problems;
}

function nameOf(node: XmlNode): string {
  return Object.keys(node).find((key) => key !== ":@")!;
}
