import type { Reporter, ReporterContext } from "../reporter.ts";
import { TextStore } from "../text_store.ts";
import { summaryReporter } from "../summarizer.ts";
import { itemText, writeDocument } from "./document.ts";

/** Where the cases are. */
const LIST = { key: "cases", depth: 1 };

/** Opens the `json` reporter, which writes one document when the run has ended. */
export function openReporter({ output }: ReporterContext): Reporter {
  const store = new TextStore();
  return summaryReporter(
    (summary) => store.add(itemText(summary, LIST)),
    (run, cases) => {
      writeDocument(output, run, { ...LIST, items: store.texts(cases) });
    },
  );
}
