/** Whether this is a browser, or another runtime without a `process`. */
export const inBrowser: boolean =
  /* @__PURE__ */ (() => !("Deno" in globalThis) && !("process" in globalThis))();
