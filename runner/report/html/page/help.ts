import { button, el } from "./dom.ts";
import { GLYPHS, lineIcon } from "./icons.ts";

const SHORTCUTS: readonly [keys: string[], action: string][] = [
  [["/"], "search"],
  [["j", "↓"], "next case"],
  [["k", "↑"], "previous case"],
  [["n"], "next case that did not pass"],
  [["Enter"], "open the case"],
  [["Esc"], "close the case; if none is open, clear the search and filters"],
  [["t"], "switch between light and dark"],
  [["?"], "show these shortcuts"],
];

let dialog: HTMLDialogElement | undefined;

/** Opens the dialog with the keyboard shortcuts. */
export function openHelp(): void {
  if (!dialog) {
    const made = el(
      "dialog",
      { class: "help", "aria-labelledby": "help-title" },
      el(
        "header",
        {},
        el("h2", { id: "help-title" }, "Keyboard shortcuts"),
        button(
          { class: "tool", "aria-label": "Close" },
          () => made.close(),
          lineIcon(GLYPHS.close),
        ),
      ),
      el(
        "dl",
        {},
        ...SHORTCUTS.map(([keys, action]) =>
          el(
            "div",
            {},
            el("dt", {}, ...keys.map((key) => el("kbd", {}, key))),
            el("dd", {}, action),
          )
        ),
      ),
    );
    dialog = made;
    document.body.append(made);
  }
  if (!dialog.open) dialog.showModal();
}
