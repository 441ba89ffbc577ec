/** Why a value does not fit a schema. */
export interface SchemaIssue {
  /** Text for people. */
  readonly message: string;
  /** Where in the value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[];
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** The part of the Standard Schema interface that is needed: valibot, zod and arktype all have it. */
export interface Schema<Output = unknown> {
  /** Where a schema keeps what all schemas have. */
  readonly "~standard": {
    /** The interface's version. */
    readonly version: 1;
    /** Who made the schema. */
    readonly vendor: string;
    /** Checks a value. */
    readonly validate: (
      value: unknown,
    ) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Only there for the type checker. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a schema's values are. */
export type OutputOf<S> = S extends { readonly "~standard": infer Standard }
  ? Standard extends { readonly types?: infer Types }
    ? NonNullable<Types> extends { readonly output: infer Output } ? Output : unknown
  : unknown
  : unknown;
