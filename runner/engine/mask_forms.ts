/** Shorter parts of a secret occur in too many texts to be masked. */
const MIN_PART_LENGTH = 8;

const encoder = new TextEncoder();

/**
 * Returns the bytes to search for: those of a secret without the white space around it, and of what
 * programs commonly make of it besides encoding it. They take its lines, and normalise it if it is
 * an address.
 *
 * @param fewest The length of the shortest form.
 */
export function maskForms(secret: string, fewest: number): Uint8Array[] {
  const text = secret.trim();
  const forms = new Set(
    [text, ...multiLineForms(text), ...addressForms(text)]
      // HTML forms encode a space as `+`.
      .flatMap((form) => [form, form.replaceAll(" ", "+")]),
  );
  return [...forms].filter((form) => form.length >= fewest).flatMap((form) => {
    const bytes = encoder.encode(form);
    return /^[\0-\x7f]*$/.test(form) || /[^\0-\xff]/.test(form)
      ? [bytes]
      // `btoa` and `escape` encode these characters as one byte each.
      : [bytes, Uint8Array.from(form, (char) => char.charCodeAt(0))];
  });
}

/** Returns the lines of a text, and the text without its line breaks. */
function multiLineForms(text: string): string[] {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  if (lines.length === 1) return [];
  return longParts([...lines, lines.join("")]);
}

/**
 * Returns the forms in which an address appears in requests and error messages, and the parts of it
 * that can be secret by themselves.
 */
function addressForms(address: string): string[] {
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(address) || !URL.canParse(address)) return [];
  const url = new URL(address);
  const { username, password, pathname, search, hash } = url;
  const whole = [url.href];
  url.hash = "";
  whole.push(url.href);
  url.username = url.password = "";
  whole.push(url.href);
  const credentials = [username, password, decoded(username), decoded(password)];
  const path = `${pathname}${search}`;
  return [
    ...whole.flatMap((form) => [form, form.replace(/\/$/, "")]),
    ...credentials,
    ...longParts([path, `${path}${hash}`, pathname, search.slice(1)]),
  ];
}

function longParts(parts: readonly string[]): string[] {
  return parts.filter((part) => part.length >= MIN_PART_LENGTH);
}

/** Decodes a part of an address, or returns it as it is if it is not encoded correctly. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}
