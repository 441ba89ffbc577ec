import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { traceSockets } from "../../runner/cli/trace_sockets.ts";
import { Mask } from "../../runner/engine/mask.ts";
import { safeOutput } from "../../runner/report/safe_output.ts";
import { defuseCiCommands } from "../../runner/report/safe_text.ts";

test("breaks up CI commands and leaves other text alone", () => {
  equal(defuseCiCommands("::error file=a::b"), ": :error file=a::b");
  equal(defuseCiCommands("  ::add-mask::b"), "  : :add-mask::b");
  equal(
    defuseCiCommands("a ##[error]b ##vso[task.complete]c"),
    "a # #[error]b # #vso[task.complete]c",
  );
  equal(defuseCiCommands("Foo::bar ## heading [link]"), "Foo::bar ## heading [link]");
});

test("breaks up what another CI system would run in an own command", () => {
  let text = "";
  const write = (piece: string) => void (text += piece);
  const output = safeOutput({ write, isTerminal: false, color: false, columns: 80 });
  output.write("::error title=a::b ##vso[task.complete]c\n", "command");
  output.write("::error title=a::b ##[add-mask]c\n", "command");
  equal(text, "::error title=a::b # #vso[task.complete]c\n::error title=a::b # #[add-mask]c\n");
});

test("breaks up CI commands in frames that `--verbose` prints", () => {
  let text = "";
  const output = safeOutput({
    write: (piece: string) => void (text += piece),
    isTerminal: false,
    color: false,
    columns: 80,
  });
  const socket = Object.assign(new EventTarget(), { send() {} }) as unknown as WebSocket;
  const loud = traceSockets(output, new Mask(), () => socket)("ws://127.0.0.1");
  loud.send('{"text":"##[add-mask]x"}');
  socket.dispatchEvent(new MessageEvent("message", { data: '{"text":"##vso[x]"}' }));
  ok(text.includes("# #[add-mask]") && text.includes("# #vso["));
});
