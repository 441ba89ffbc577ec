import { el, place } from "./dom.ts";

const tooltips = new WeakMap<Element, () => string[]>();
let box: HTMLElement | undefined;

/** Gives an element a tooltip, which shows while the pointer is on it or it has the focus. */
export function addTooltip<E extends Element>(element: E, lines: () => string[]): E {
  tooltips.set(element, lines);
  element.classList.add("has-tip");
  return element;
}

/** Shows and hides tooltips as the pointer and the focus move. */
export function enableTooltips(): void {
  box = el("div", { class: "tip", "aria-hidden": "true", hidden: true });
  document.body.append(box);
  document.addEventListener("pointerover", (event) => {
    const over = (event.target as Element).closest(".has-tip");
    if (over) showTooltip(tooltips.get(over)?.() ?? [], event.clientX, event.clientY);
    else hideTooltip();
  });
  document.addEventListener("focusin", (event) => {
    const focused = event.target as Element;
    if (!focused.classList.contains("has-tip") || !focused.matches(":focus-visible")) {
      return hideTooltip();
    }
    const { left, bottom } = focused.getBoundingClientRect();
    showTooltip(tooltips.get(focused)?.() ?? [], left + 24, bottom);
  });
  document.addEventListener("focusout", hideTooltip);
  document.addEventListener("scroll", hideTooltip, { capture: true, passive: true });
}

/** Shows a tooltip beside a point. */
export function showTooltip(lines: readonly string[], x: number, y: number): void {
  if (!box || lines.length === 0) return hideTooltip();
  box.replaceChildren(...lines.map((line) => el("div", {}, line)));
  box.hidden = false;
  const { offsetWidth, offsetHeight } = box;
  const below = y + 16 + offsetHeight < innerHeight;
  place(box, {
    left: Math.max(4, Math.min(x + 12, innerWidth - offsetWidth - 8)),
    top: below ? y + 16 : Math.max(4, y - offsetHeight - 10),
  });
}

/** Hides the tooltip. */
export function hideTooltip(): void {
  if (box) box.hidden = true;
}
