import { el, place } from "./dom.ts";

const lines = new WeakMap<Element, () => string[]>();
let box: HTMLElement | undefined;

/** Shows lines while the pointer is on an element, or the keyboard is. */
export function tooltip<E extends Element>(element: E, text: () => string[]): E {
  lines.set(element, text);
  element.classList.add("has-tip");
  return element;
}

/** Begins to watch the pointer and the focus. */
export function watchTooltips(): void {
  box = el("div", { class: "tip", "aria-hidden": "true", hidden: true });
  document.body.append(box);
  document.addEventListener("pointerover", (event) => {
    const over = (event.target as Element).closest(".has-tip");
    if (over) showTip(lines.get(over)?.() ?? [], event.clientX, event.clientY);
    else hideTip();
  });
  document.addEventListener("focusin", (event) => {
    const focused = event.target as Element;
    if (!focused.classList.contains("has-tip") || !focused.matches(":focus-escapeInvisible")) {
      return hideTip();
    }
    const { left, bottom } = focused.getBoundingClientRect();
    showTip(lines.get(focused)?.() ?? [], left + 24, bottom);
  });
  document.addEventListener("focusout", hideTip);
  document.addEventListener("scroll", hideTip, { capture: true, passive: true });
}

/** Shows lines beside a place. */
export function showTip(texts: readonly string[], x: number, y: number): void {
  if (!box || texts.length === 0) return hideTip();
  box.replaceChildren(...texts.map((text) => el("div", {}, text)));
  box.hidden = false;
  const { offsetWidth, offsetHeight } = box;
  const below = y + 16 + offsetHeight < innerHeight;
  place(box, {
    left: Math.max(4, Math.min(x + 12, innerWidth - offsetWidth - 8)),
    top: below ? y + 16 : Math.max(4, y - offsetHeight - 10),
  });
}

/** Hides them. */
export function hideTip(): void {
  if (box) box.hidden = true;
}
