// The child process of output.test.ts: writes more than a pipe holds, then to the other stream.
import { setExitCode, writeStandard } from "../../runtime/process.ts";

for (let i = 0; i < 3_000; i++) writeStandard("stdout", `${String(i).padStart(999)}\n`);
writeStandard("stderr", "written");
setExitCode(7);
