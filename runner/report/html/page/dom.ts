/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { escapeInvisible } from "../../safe_text.ts";

/** What an element can hold; text stays text. */
export type Child = Node | string | undefined | false;

/** Attributes; `true` sets one without a value, `false` and `undefined` set none. */
export type Attributes = Record<string, string | number | boolean | undefined>;

/** Makes an element. All text of the report comes into the page here, and never as HTML. */
export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(name), attributes, children);
}

/** Makes an element of a drawing. */
export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  return fill(made, attributes, children);
}

/** Puts an element where it belongs; the page's policy allows no `style` in the markup. */
export function place<E extends HTMLElement>(
  element: E,
  style: Partial<Record<"left" | "top" | "width" | "height", number>>,
): E {
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, `${value}px`);
  return element;
}

/** A button with a handler. */
export function button(
  attributes: Attributes,
  onClick: () => void,
  ...children: Child[]
): HTMLButtonElement {
  const made = el("button", { type: "button", ...attributes }, ...children);
  made.addEventListener("click", onClick);
  return made;
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : escapeInvisible(String(value)));
  }
  element.append(...children.flatMap((child) => {
    if (child === undefined || child === false) return [];
    return [typeof child === "string" ? escapeInvisible(child) : child];
  }));
  return element;
}

let canvas: CanvasRenderingContext2D | null | undefined;

/** Measures texts as an element would show them, in pixels. */
export function measurer(element: Element): (text: string) => number {
  canvas ??= document.createElement("canvas").getContext("2d");
  const { fontStyle, fontWeight, fontSize, fontFamily } = getComputedStyle(element);
  const font = `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;
  const known = new Map<string, number>();
  return (text) => {
    const seen = known.get(text);
    if (seen !== undefined) return seen;
    if (canvas) canvas.font = font;
    const width = Math.ceil(
      canvas ? canvas.measureText(escapeInvisible(text)).width : text.length * 7,
    );
    known.set(text, width);
    return width;
  };
}
