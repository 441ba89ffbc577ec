import { equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  mkdtemp,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { buildBinary, hostPlatform } from "../../packaging/binary.ts";
import { read } from "../project/sources.ts";

const platform = hostPlatform();
const canMount = platform?.startsWith("linux") && process.getuid?.() === 0 &&
  spawnSync("unshare", ["--mount", "true"]).status === 0;
const skip = canMount ? false : "only root on Linux can make such a root directory";

/** Runs a program in another root directory that is read-only, but for one directory in it. */
const IN_ROOT = `set -e
root=$1 user=$2; shift 2
mount --bind "$root" "$root"
mount --bind "$root/reports" "$root/reports"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" --groups= "$root" "$@"
`;

const WAIT = "steps:\n  - { id: mail, enqueue: send-email, payload: { to: a@b.c, subject: x } }\n" +
  "  - wait: mail\n";
const SCRIPT = `import { recipe } from "@dispatch/sdk/runner";
export default recipe("B", async (t) => {
  t.expect(1 + 1).toEqual(2);
});
`;

let root: string;
let user: string;

before(async () => {
  if (skip) return;
  root = await mkdtemp(join(tmpdir(), "dispatch-image-"));
  // The directory of an image is open to all users.
  await chmod(root, 0o755);
  user = /^USER (\S+)$/m.exec(await read("Dockerfile"))![1]!;
  const executable = join(root, "usr/local/bin/dispatch");
  await mkdir(dirname(executable), { recursive: true });
  await rename(buildBinary(platform!, root), executable);
  // The base image has the C library, and nothing else that the executable could load.
  const { stdout } = spawnSync("ldd", [executable], { encoding: "utf8" });
  for (const [library] of stdout.matchAll(/\/\S+/g)) {
    match(library, /\/(?:ld-linux.*|lib(?:c|dl|m|pthread)\.so\.\d)$/);
    await mkdir(dirname(join(root, library)), { recursive: true });
    await copyFile(library, join(root, library));
  }
  for (const directory of ["proc", "recipes", "reports"]) await mkdir(join(root, directory));
  await chown(join(root, "reports"), Number(user.split(":")[0]), Number(user.split(":")[1]));
  await writeFile(join(root, "recipes/a.yaml"), WAIT);
  await writeFile(join(root, "recipes/b.recipe.ts"), SCRIPT);
});

after(async () => {
  if (root !== undefined) await rm(root, { recursive: true });
});

/** Runs the executable as the image does. */
function dispatch(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    "unshare",
    ["--mount", "sh", "-c", IN_ROOT, "sh", root, user, "/usr/local/bin/dispatch", ...args],
    { encoding: "utf8", env: { PATH: process.env.PATH } },
  );
  return { status, output: stdout + stderr };
}

test(
  "the executable needs only what the image has, no root and no place to write",
  { skip },
  () => {
    const { status, output } = dispatch("run", "/recipes");
    equal(status, 0, output);
    match(output, /^2 passed in /m);
  },
);

test(
  "reports and a history go to a volume, and nothing else can be written",
  { skip },
  async () => {
    const files = ["--reporter", "junit=/reports/a.xml", "--history", "/reports/h.db"];
    const { status, output } = dispatch("run", "/recipes", ...files);
    equal(status, 0, output);
    equal((await stat(join(root, "reports/a.xml"))).uid, Number(user.split(":")[0]));
    const refused = dispatch("run", "/recipes", "--reporter", "junit=/a.xml");
    equal(refused.status, 2);
    match(refused.output, /Cannot write file '\/a\.xml': the file system is read-only/);
  },
);
