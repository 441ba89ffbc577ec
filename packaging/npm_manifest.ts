/** What the published package.json takes from the project's, and what the build needs of it. */
export interface ProjectManifest {
  name: string;
  version: string;
  description: string;
  license: string;
  type: string;
  bin: Record<string, string>;
  exports: Record<string, string>;
  browser: Record<string, string>;
  engines: Record<string, string>;
  keywords: string[];
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
}

/** The published package.json. */
export interface NpmManifest extends Omit<ProjectManifest, "exports"> {
  exports: Record<string, string | { types: string; default: string }>;
  sideEffects: string[];
}

/** Where TypeScript puts the JavaScript of a module, and its declarations. */
function compiled(path: string): { types: string; default: string } {
  const base = path.replace(/\.ts$/, "");
  return { types: `${base}.d.ts`, default: `${base}.js` };
}

/**
 * Makes the published package.json of the project's: paths lead to compiled files, and what only
 * development needs is left out.
 *
 * @returns It, the modules to compile, and the program, which is copied.
 */
export function npmManifest(project: ProjectManifest): {
  manifest: NpmManifest;
  entries: string[];
  program: string;
} {
  const { name, version, description, license, type, bin, engines, keywords } = project;
  const programs = new Set(Object.values(bin));
  if (programs.size !== 1) throw new Error(`Cannot build the npm package: not one program`);
  const [program] = programs;
  const entries = new Set(Object.values(project.exports));
  const browser: Record<string, string> = {};
  for (const [path, replacement] of Object.entries(project.browser)) {
    browser[compiled(path).default] = compiled(replacement).default;
    entries.add(replacement);
  }
  return {
    manifest: {
      name,
      version,
      description,
      keywords,
      license,
      type,
      bin,
      exports: {
        ...Object.fromEntries(
          Object.entries(project.exports).map(([key, path]) => [key, compiled(path)]),
        ),
        "./package.json": "./package.json",
      },
      browser,
      // Bundlers may leave out every other module of which nothing is used.
      sideEffects: [...programs, compiled(project.exports["./cli"]!).default],
      engines,
      dependencies: project.dependencies,
      optionalDependencies: project.optionalDependencies,
    },
    entries: [...entries],
    program: program!,
  };
}
