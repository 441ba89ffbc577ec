/** The golden recipes whose errors a JSON Schema cannot express. */
export const BEYOND_A_SCHEMA: ReadonlySet<string> = new Set([
  ...[
    "always-fails",
    "bad-channel",
    "bad-cron",
    "bad-expression",
    "bad-id",
    "bad-matcher",
    "bad-template",
  ],
  ...[
    "circle",
    "duplicate-id",
    "duplicate-key",
    "may-be-absent",
    "missing-secret",
    "missing-variable",
  ],
  ...["not-a-condition", "nothing-checked", "object-in-text", "type-mismatch", "unguarded"],
  ...["unknown-field", "unknown-function", "unknown-method", "unknown-name", "unknown-state"],
  ...["refused-payload", "unknown-checkpoint", "unknown-event", "unknown-job", "unknown-queue"],
  "unknown-target",
  "unknown-workflow",
  ...[
    "unknown-step",
    "unknown-variable",
    "use",
    "used",
    "used-too-early",
    "virtual-time",
    "wrong-step",
  ],
]);
