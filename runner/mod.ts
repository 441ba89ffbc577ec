/**
 * Recipes: read and checked without running, run over a client, and reported as a stream of typed
 * events.
 *
 * @module
 */
export { type CodeEntry, DIAGNOSTIC_CODES, type DiagnosticCode } from "./language/codes.ts";
export { type Diagnostic } from "./language/diagnostic.ts";
export {
  type DiagnosticStyle,
  plainStyle,
  renderDiagnostic,
} from "./language/render_diagnostic.ts";
export { checkRecipe } from "./recipe/read_recipe.ts";
export { type Position, Source, type Span } from "./language/source.ts";
export {
  type CaseEvent,
  type CaseFinished,
  type CaseRetried,
  type CaseSkipped,
  type CaseStarted,
  type CaseStatus,
  type EventBase,
  type EventEntity,
  type EventFailure,
  type EventFrame,
  type EventPlace,
  type EventQuarantine,
  type EventShard,
  type FailureKind,
  type Logged,
  type Observed,
  RECIPE_EVENT_VERSION,
  type RecipeEvent,
  type RecipeRunFinished,
  type RecipeRunStarted,
  type RunCounts,
  type RunIdentity,
  type StepEvent,
  type StepFinished,
  type StepProgress,
  type StepRetried,
  type StepStarted,
  type StepStatus,
  type Usual,
  type Warned,
} from "./events/event.ts";
export { type ConsoleOptions, ConsoleReporter } from "./report/console/console_reporter.ts";
export { type Output, type Reporter, type TextKind } from "./report/reporter.ts";
export {
  type CaseAttempt,
  type CaseSummary,
  type LogSummary,
  type RetrySummary,
  RUN_SUMMARY_VERSION,
  type RunSummary,
  type StepSummary,
} from "./report/run_summary.ts";
export { type CallSite } from "./events/call_site.ts";
export { recipe } from "./cli/recipe.ts";
export {
  type AlertOptions,
  type MaintenanceOptions,
  type MakeRecipe,
  type MatrixBody,
  type RecipeBody,
  type RecipeOptions,
  RecipeScript,
  type ScheduleOptions,
} from "./script/recipe.ts";
export {
  type EnqueueSettings,
  type EventsSettings,
  type Script,
  type StepSettings,
  type WaitSettings,
} from "./script/api.ts";
export { type JobHandle, type RunHandle } from "./script/handle.ts";
export { type CheckResult, Expectations, type Mismatch, type RunCheck } from "./script/matchers.ts";
export { type RunnerClient } from "./steps/context.ts";
