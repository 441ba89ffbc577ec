// Writes more than a pipe holds, and then a line on the other stream: for output.test.ts.
import { setExitCode, writeStandard } from "../../runtime/process.ts";

for (let i = 0; i < 3_000; i++) writeStandard("stdout", `${String(i).padStart(999)}\n`);
writeStandard("stderr", "written");
setExitCode(7);
