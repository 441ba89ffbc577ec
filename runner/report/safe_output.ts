import type { Output, TextKind } from "./reporter.ts";
import { defuseCiCommands, defuseHashCommands, escapeInvisible } from "./safe_text.ts";

/**
 * Makes everything that is written to an output safe: control characters are replaced with visible
 * ones, and text that a CI system would run as a command is broken up. Safe text stays as it is.
 *
 * @param mask Masks secrets in all text.
 */
export function safeOutput(output: Output, mask = (text: string) => text): Output {
  const log = new LogText();
  return {
    write(text, kind = "plain") {
      output.write(log.makeSafe(mask(text), kind, output.color || output.isTerminal));
    },
    get isTerminal() {
      return output.isTerminal;
    },
    get color() {
      return output.color;
    },
    get columns() {
      return output.columns;
    },
    get rows() {
      return output.rows ?? 24;
    },
    get isClosed() {
      return output.isClosed ?? false;
    },
  };
}

/** The terminal codes that the runner writes: colours, and those of the live view. */
// deno-lint-ignore no-control-regex -- The codes begin with a control character.
const OWN_CODES = /(\x1b\[(?:[\d;]*m|\d*A|[JK]|\?(?:25|7)[hl])|\r)/;

/** The commands that the runner writes for a CI system. */
const OWN_COMMANDS = /^::(?:error|warning|notice) /;

/** Matches the beginning of a line that could become a command with the next piece of text. */
// deno-lint-ignore no-control-regex -- Colours begin with an escape character.
const COLON_BEGIN = /^(?:\s|\x1b\[[\d;]*m)*:?$/;

/** The longest end of a line in which the beginning of a command is looked for. */
const MAX_COMMAND_NAME = 64;

/** The part of the written text that decides how the next piece is read. */
class LogText {
  /** What has been written of the current line and can be the beginning of a command. */
  #line = "";

  /** Returns a safe form of the next piece of text. */
  makeSafe(text: string, kind: TextKind, canHaveCodes: boolean): string {
    const visible = kind === "styled" && canHaveCodes ? escapeForeign(text) : escapeInvisible(text);
    if (!/::|##/.test(this.#line + visible)) {
      const lineStart = visible.lastIndexOf("\n") + 1;
      this.#remember(lineStart > 0 ? visible.slice(lineStart) : this.#line + visible);
      return visible;
    }
    return visible.split("\n").map((line, i) => {
      if (i > 0) this.#line = "";
      return this.#makeLineSafe(line, kind);
    }).join("\n");
  }

  #makeLineSafe(text: string, kind: TextKind): string {
    if (kind === "command" && this.#line === "" && OWN_COMMANDS.test(text)) {
      // Another system than the one that the command is for may read the log.
      const safe = defuseHashCommands(text);
      this.#remember(safe);
      return safe;
    }
    const begun = this.#line;
    const whole = defuseCiCommands(begun + text);
    // What has been written cannot be changed any more. The space breaks up what continues it.
    const safe = whole.startsWith(begun) ? whole.slice(begun.length) : ` ${defuseCiCommands(text)}`;
    this.#remember(begun + safe);
    return safe;
  }

  #remember(line: string): void {
    const end = line.slice(-MAX_COMMAND_NAME);
    this.#line = COLON_BEGIN.test(line) ? line : `x${/#*\w*$/.exec(end)![0]}`;
  }
}

/** Escapes control characters, except in the codes of the runner. */
function escapeForeign(text: string): string {
  return text.split(OWN_CODES).map((part, i) => i % 2 === 1 ? part : escapeInvisible(part)).join(
    "",
  );
}
