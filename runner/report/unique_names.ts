/**
 * Makes names unique after a format has cut or escaped them. Readers of reports merge test cases with
 * the same name.
 */
export class UniqueNames {
  #taken = new Set<string>();

  /**
   * Returns the name, with an addition if it was returned before.
   *
   * @param group The group in which the name must be unique, such as a class.
   * @param addition Tried before a number.
   */
  next(name: string, group = "", addition?: string): string {
    const candidates = addition === undefined ? [name] : [name, `${name} (${addition})`];
    for (let number = 2;; number++) {
      const candidate = candidates.shift() ?? `${name} (${number})`;
      const key = `${group}\n${candidate}`;
      if (this.#taken.has(key)) continue;
      this.#taken.add(key);
      return candidate;
    }
  }
}
