/** Takes the place of the question whether this is a browser where a bundle is for browsers only. */
export const inBrowser = true;
