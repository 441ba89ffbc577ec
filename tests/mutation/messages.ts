// What `runner.ts` and `host.ts` send each other.

export type Question =
  | { action: "coverage"; paths: readonly string[] }
  | {
    action: "mutant";
    mutant: string;
    hitLimit: number | undefined;
    /** The tests to run, with the milliseconds that each may take. */
    tests: readonly { id: string; limit: number }[];
  };

export type Answer =
  | { started: string }
  | { result: CoverageResult | MutantResult }
  | { error: string };

export interface Failure {
  message: string;
  /** Set when the test did not end in time. */
  hung?: true;
}

export interface CoverageResult {
  tests: { id: string; name: string; path: string; ms: number; failure: Failure | undefined }[];
  coverage: unknown;
}

export interface MutantResult {
  /** How many tests have run. */
  count: number;
  /** The test that failed, and why. Absent when the mutant survived. */
  id?: string;
  failure?: Failure;
  hitCount?: number | undefined;
}
