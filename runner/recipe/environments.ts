import type { Environment } from "@marcbachmann/cel-js";
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

  /** The environment for expressions in a scope. */
  for({ locals, varCount }: Scope): Environment {
    const key = JSON.stringify([locals, varCount]);
    let environment = this.#cache.get(key);
    if (!environment) this.#cache.set(key, environment = this.#create(locals, varCount));
    return environment;
  }

  /** The names of the functions and macros that every environment has. */
  functionNames(): readonly string[] {
    return this.#cel.functionNames();
  }

  #create(locals: Scope["locals"], varCount: number | undefined): Environment {
    const environment = this.#cel.typed();
    for (const [name, { fields }] of this.#known.records) {
      environment.registerType(name, { fields: { ...fields } });
    }
    for (const [root, fields] of Object.entries(this.#known.roots)) {
      const some = root === "vars"
        ? Object.entries(fields).slice(0, varCount)
        : Object.entries(fields);
      environment.registerVariable({ name: root, schema: Object.fromEntries(some) });
    }
    for (const { id, type, broken } of this.#known.steps.values()) {
      if (!broken) environment.registerVariable(id, type ?? "dyn");
    }
    for (const [name, type] of Object.entries(locals)) environment.registerVariable(name, type);
    return environment;
  }
}
