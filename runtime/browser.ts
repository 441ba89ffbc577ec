/** Whether this is a browser, or what behaves like one: none of the runtimes with a `process`. */
export const inBrowser: boolean = !("Deno" in globalThis) && !("process" in globalThis);
