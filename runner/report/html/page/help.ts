import { button, el } from "./dom.ts";
import { GLYPHS, lineIcon } from "./icons.ts";

const KEYS: readonly [keys: string[], what: string][] = [
  [["/"], "search"],
  [["j", "↓"], "next case"],
  [["k", "↑"], "previous case"],
  [["n"], "next case that did not pass"],
  [["Enter"], "open the case"],
  [["Esc"], "close the case; then clear the search and the filters"],
  [["t"], "light or dark"],
  [["?"], "these keys"],
];

let dialog: HTMLDialogElement | undefined;

/** Shows the keys. */
export function openHelp(): void {
  if (!dialog) {
    const made = el(
      "dialog",
      { class: "help", "aria-labelledby": "help-title" },
      el(
        "header",
        {},
        el("h2", { id: "help-title" }, "Keys"),
        button(
          { class: "tool", "aria-label": "Close" },
          () => made.close(),
          lineIcon(GLYPHS.close),
        ),
      ),
      el(
        "dl",
        {},
        ...KEYS.map(([keys, what]) =>
          el("div", {}, el("dt", {}, ...keys.map((key) => el("kbd", {}, key))), el("dd", {}, what))
        ),
      ),
    );
    dialog = made;
    document.body.append(made);
  }
  if (!dialog.open) dialog.showModal();
}
