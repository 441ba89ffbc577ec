/**
 * The part of the [Standard Schema](https://standardschema.dev) interface that the server uses.
 * Schemas of valibot, zod and arktype implement it.
 */
export interface StandardSchema<Output = unknown> {
  /** The properties that the interface defines. */
  readonly "~standard": {
    /** The version of the interface. */
    readonly version: 1;
    /** The library that made the schema. */
    readonly vendor: string;
    /** Validates a value. */
    readonly validate: (
      value: unknown,
    ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
    /** Types for the type checker; absent at run time. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** The result of a validation. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] };

/** A reason why a value is not valid. */
export interface StandardSchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** The path to the part of the value that is not valid. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[];
}

/** The type of the values that a schema accepts. */
export type SchemaOutput<S> = S extends { readonly "~standard": infer Standard }
  ? Standard extends { readonly types?: infer Types }
    ? NonNullable<Types> extends { readonly output: infer Output } ? Output : unknown
  : unknown
  : unknown;
