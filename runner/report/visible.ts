const HIDDEN =
  // deno-lint-ignore no-control-regex -- They are what it looks for.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\uffff]|\p{Surrogate}/gu;

/**
 * Text with a stand-in for every character that nobody would see, or that would turn the text
 * around: `␀` for a control character, `\u{d800}` for others. Line feeds and tabs stay.
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, (char) => {
    const code = char.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : code === 0xfffd ? char : `\\u{${code.toString(16)}}`;
  });
}
