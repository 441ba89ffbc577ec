import { button } from "./dom.ts";
import { GLYPHS, lineIcon } from "./icons.ts";

const KEY = "dispatch-report-theme";

/** The button that changes between light and dark; at first the page is as the system is. */
export function themeButton(): HTMLButtonElement {
  apply(remembered());
  return button(
    { class: "tool", title: "Light or dark (t)", "aria-label": "Change between light and dark" },
    toggleTheme,
    lineIcon(GLYPHS.theme),
  );
}

/** Changes from light to dark, or back. */
export function toggleTheme(): void {
  const chosen = document.documentElement.dataset.theme;
  const dark = chosen === undefined
    ? matchMedia("(prefers-color-scheme: dark)").matches
    : chosen === "dark";
  const next = dark ? "light" : "dark";
  apply(next);
  try {
    localStorage.setItem(KEY, next);
  } catch (error) {
    // A browser can forbid a page to keep anything; then the choice holds until it is closed.
    if (!(error instanceof DOMException)) throw error;
  }
}

function apply(theme: string | null): void {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
