import { button } from "./dom.ts";
import { GLYPHS, lineIcon } from "./icons.ts";

const KEY = "dispatch-report-theme";

/** Makes the button that switches between light and dark. The page starts with the system's setting. */
export function themeButton(): HTMLButtonElement {
  applyTheme(storedTheme());
  return button(
    { class: "tool", title: "Light or dark (t)", "aria-label": "Switch between light and dark" },
    toggleTheme,
    lineIcon(GLYPHS.theme),
  );
}

/** Switches from light to dark, or back. */
export function toggleTheme(): void {
  const chosen = document.documentElement.dataset.theme;
  const dark = chosen === undefined
    ? matchMedia("(prefers-color-scheme: dark)").matches
    : chosen === "dark";
  const next = dark ? "light" : "dark";
  applyTheme(next);
  try {
    localStorage.setItem(KEY, next);
  } catch (error) {
    // Without access to the storage, the choice lasts until the page is closed.
    if (!(error instanceof DOMException)) throw error;
  }
}

function applyTheme(theme: string | null): void {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}

function storedTheme(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
