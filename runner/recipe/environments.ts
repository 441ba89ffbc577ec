import type { Environment } from "@marcbachmann/cel-js";
import { type Ast, freeNames } from "../expression/ast.ts";
import type { Cel } from "../expression/cel.ts";
import type { Scope } from "../language/scope.ts";
import type { Known } from "./check_references.ts";

/** The environments that expressions are type-checked in, one for each set of local names. */
export class Environments {
  #cel: Cel;
  #known: Known;
  #cache = new Map<string, Environment>();

  /** Creates environments with the names of one recipe. */
  constructor(cel: Cel, known: Known) {
    this.#cel = cel;
    this.#known = known;
  }

  /** The environment for an expression in a scope. */
  for({ locals, varCount }: Scope, ast: Ast): Environment {
    // The type of a variable is known only once its own expression has been checked.
    if (varCount !== undefined) return this.#createForVariable(varCount, ast);
    const key = JSON.stringify(locals);
    let environment = this.#cache.get(key);
    if (!environment) this.#cache.set(key, environment = this.#create(locals));
    return environment;
  }

  /** The names of the functions and macros that every environment has. */
  functionNames(): readonly string[] {
    return this.#cel.functionNames();
  }

  #create(locals: Scope["locals"]): Environment {
    const environment = this.#cel.typed();
    for (const [name, { fields }] of this.#known.records) {
      environment.registerType(name, { fields: { ...fields } });
    }
    for (const [root, fields] of Object.entries(this.#known.roots)) {
      environment.registerVariable({ name: root, schema: { ...fields } });
    }
    for (const { id, type, broken } of this.#known.steps.values()) {
      if (!broken) environment.registerVariable(id, type ?? "dyn");
    }
    for (const [name, type] of Object.entries(locals)) environment.registerVariable(name, type);
    return environment;
  }

  /** An environment with the names that the expression of a variable uses. It sees no steps. */
  #createForVariable(varCount: number, ast: Ast): Environment {
    const environment = this.#cel.typed();
    const names = freeNames(ast);
    for (const [root, fields] of Object.entries(this.#known.roots)) {
      const uses = names.filter(({ name }) => name === root);
      if (uses.length === 0) continue;
      const isWhole = uses.some(({ path }) => path.length === 0);
      const used = isWhole
        ? Object.keys(fields).slice(0, root === "vars" ? varCount : undefined)
        : uses.map(({ path }) => path[0]!.field);
      const schema = Object.fromEntries(used.map((field) => [field, fields[field] ?? "dyn"]));
      environment.registerVariable({ name: root, schema });
    }
    return environment;
  }
}
