/** A command line that cannot be understood; the process exits with 2. */
export class UsageError extends Error {
  /** Always `"usage"`. */
  readonly code = "usage";

  /** Says what is wrong with it. */
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}
