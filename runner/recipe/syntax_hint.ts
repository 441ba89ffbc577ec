import { backWhile, explainFault } from "../expression/explain_fault.ts";
import type { CelFault } from "../expression/cel.ts";

/** What helps with the words and signs of other languages. */
export function syntaxHint(text: string, fault: CelFault): string {
  if (text[fault.start] === "=") return "`==` compares";
  const from = backWhile(text, fault.start, /\w/);
  const word = text.slice(from, fault.start) + /^\w*/.exec(text.slice(fault.start))![0];
  return (Object.hasOwn(OTHER_WORDS, word) ? OTHER_WORDS[word] : undefined) ?? explainFault(fault);
}

const OTHER_WORDS: Record<string, string> = {
  and: "`&&` is and",
  or: "`||` is or",
  not: "`!` is not",
  is: "`==` compares",
};
