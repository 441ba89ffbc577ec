/** Takes the place of `browser.ts` in a bundle for browsers. */
export const inBrowser = true;
