/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { escapeInvisible } from "../../safe_text.ts";

/** A child of an element. A string becomes a text node; `undefined` and `false` add nothing. */
export type Child = Node | string | undefined | false;

/** Attributes. `true` sets one without a value; `false` and `undefined` set none. */
export type Attributes = Record<string, string | number | boolean | undefined>;

/**
 * Makes an HTML element. All text of the report enters the page here, as text nodes and attributes
 * and never as HTML.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(name), attributes, children);
}

/** Makes an SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  return fill(made, attributes, children);
}

/** Positions an element in pixels, by script: the policy of the page forbids `style` attributes. */
export function place<E extends HTMLElement>(
  element: E,
  style: Partial<Record<"left" | "top" | "width" | "height", number>>,
): E {
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, `${value}px`);
  return element;
}

/** Makes a button. */
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

/** Makes a function that measures the width of text in the font of an element, in pixels. */
export function textMeasurer(element: Element): (text: string) => number {
  canvas ??= document.createElement("canvas").getContext("2d");
  const { fontStyle, fontWeight, fontSize, fontFamily } = getComputedStyle(element);
  const font = `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;
  const widths = new Map<string, number>();
  return (text) => {
    const cached = widths.get(text);
    if (cached !== undefined) return cached;
    if (canvas) canvas.font = font;
    const width = Math.ceil(
      canvas ? canvas.measureText(escapeInvisible(text)).width : text.length * 7,
    );
    widths.set(text, width);
    return width;
  };
}
