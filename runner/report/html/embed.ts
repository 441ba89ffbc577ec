/**
 * JSON for a `<script>` element: nothing in it can end the element or begin a comment, and no old
 * reader takes a line separator for the end of a line.
 */
export function embedJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
