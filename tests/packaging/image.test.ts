import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { validate, ValidationSeverity } from "dockerfile-utils";
import { BINARY_DIRECTORY, binaryName } from "../../packaging/binary.ts";
import { shardedJob } from "../../runner/cli/manifest/kubernetes.ts";
import { read, ROOT } from "../project/sources.ts";

const dockerfile = await read("Dockerfile");

/** The instructions of the last stage, which is the image. */
const image = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "))
  .replaceAll(/^#.*\n/gm, "").replaceAll("\\\n", " ");

test("the Dockerfile has no mistakes, nor what Docker warns of", () => {
  const severity = ValidationSeverity.ERROR;
  const settings = {
    deprecatedMaintainer: severity,
    directiveCasing: severity,
    emptyContinuationLine: severity,
    instructionCasing: severity,
    instructionCmdMultiple: severity,
    instructionEntrypointMultiple: severity,
    instructionHealthcheckMultiple: severity,
    instructionJSONInSingleQuotes: severity,
    instructionWorkdirRelative: severity,
  };
  deepEqual(validate(dockerfile, settings).map(({ message }) => message), []);
});

test("the image takes the executables of Linux, and nothing else goes to Docker", async () => {
  const directory = BINARY_DIRECTORY.slice(ROOT.length);
  const wanted = (["linux-x64", "linux-arm64"] as const)
    .map((platform) => `${directory}/${binaryName(platform)}`);
  const copied = [...dockerfile.matchAll(/^COPY --chmod=755 (\S+) /gm)].map(([, path]) => path);
  deepEqual(copied, wanted);
  const lines = (await read(".dockerignore")).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  deepEqual(lines, ["*", ...wanted.map((path) => `!${path}`)]);
});

test("the image has no shell, is not root, and is what Kubernetes runs", () => {
  match(image, /^\nFROM gcr\.io\/distroless\/base-nossl-debian\d+:nonroot\n/);
  match(image, /^ENTRYPOINT \["\/usr\/local\/bin\/dispatch"\]$/m);
  ok(!/^RUN /m.test(image));
  const [, user, group] = /^USER (\d+):(\d+)$/m.exec(image)!;
  const options = { name: "x", image: "x", url: "x", secret: { name: "x", key: "x" } };
  const [, , job] = shardedJob(
    { files: [], paths: ["/recipes"] },
    { ...options, shards: 1, wait: "1m", secrets: [], variables: [] },
  ) as unknown as [
    ...[unknown, unknown],
    { spec: { template: { spec: { securityContext: Record<string, number> } } } },
  ];
  const { runAsUser, runAsGroup } = job.spec.template.spec.securityContext;
  deepEqual([Number(user), Number(group)], [runAsUser, runAsGroup]);
});

test("the labels of the image say what it is, and have the version it was built for", async () => {
  const labels = Object.fromEntries(
    [...image.matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)].map(([, k, v]) => [k, v]),
  );
  const { license } = JSON.parse(await read("deno.json"));
  equal(labels.licenses, license);
  equal(labels.version, "${VERSION}");
  match(image, /^ARG VERSION$/m);
});
