import { VERSION } from "../command.ts";

/** What a workflow depends on. */
export interface GithubOptions {
  /** The files and directories of the recipes, as `run` takes them. */
  paths: readonly string[];
  /** The number of shards. */
  shards: number;
  /** The address of the server; the embedded one without it. */
  url: string | undefined;
  /** The secrets that the recipes declare. */
  secrets: readonly string[];
}

/** The actions that the workflows of users run; they have the versions of this repository's own. */
export const ACTIONS = {
  checkout: "actions/checkout@v7",
  setupDeno: "denoland/setup-deno@v2",
  uploadArtifact: "actions/upload-artifact@v7",
  downloadArtifact: "actions/download-artifact@v8",
} as const;

const CLI = `deno run -A jsr:@dispatch/sdk@${VERSION}/cli`;

/**
 * Returns a workflow that runs recipes in shards, and merges their streams. A shard that fails does
 * not stop the others, and the merge has the exit code of the whole run.
 */
export function githubWorkflow(
  { paths, shards, url, secrets }: GithubOptions,
): Record<string, unknown> {
  const setup = [
    { uses: ACTIONS.checkout },
    { uses: ACTIONS.setupDeno, with: { "deno-version": "v2.x" } },
  ];
  const names = url === undefined ? secrets : ["DISPATCH_TOKEN", ...secrets];
  const variables = {
    ...(url === undefined ? {} : { DISPATCH_URL: literal(url) }),
    ...Object.fromEntries(names.map((name) => [name, `\${{ secrets.${name} }}`])),
  };
  const env = Object.keys(variables).length === 0 ? {} : { env: variables };
  const shard = "${{ matrix.shard }}";
  return {
    name: "recipes",
    on: { push: {}, pull_request: {} },
    permissions: { contents: "read" },
    jobs: {
      shard: {
        "runs-on": "ubuntu-latest",
        strategy: {
          "fail-fast": false,
          matrix: { shard: Array.from({ length: shards }, (_, i) => i + 1) },
        },
        ...env,
        steps: [
          ...setup,
          {
            run: `${CLI} ${literal(paths.map(quote).join(" "))} --shard ${shard}/${shards} ` +
              `--reporter console --reporter jsonl=streams/${shard}.jsonl`,
          },
          {
            if: "always()",
            uses: ACTIONS.uploadArtifact,
            with: {
              name: `stream-${shard}-\${{ github.run_attempt }}`,
              path: "streams/",
              "if-no-files-found": "ignore",
            },
          },
        ],
      },
      merge: {
        needs: "shard",
        if: "${{ !cancelled() }}",
        "runs-on": "ubuntu-latest",
        steps: [
          ...setup,
          // Each artifact gets a directory of its own: attempts of a shard have files of one name.
          {
            uses: ACTIONS.downloadArtifact,
            with: { pattern: "stream-*", path: "streams" },
          },
          {
            run: `${CLI} merge $(find streams -name '*.jsonl') --reporter console ` +
              "--reporter github --reporter html=reports/recipes.html " +
              "--reporter junit=reports/recipes.xml",
          },
          {
            if: "always()",
            uses: ACTIONS.uploadArtifact,
            with: { name: "recipes", path: "reports/", "if-no-files-found": "ignore" },
          },
        ],
      },
    },
  };
}

/** Quotes a word for a shell, if it needs that. */
function quote(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Keeps GitHub from evaluating what looks like an expression in it. */
function literal(text: string): string {
  return text.replaceAll("${{", "${{ '${{' }}");
}
