import fc from "fast-check";
import { programsAbout } from "./mix.ts";
import { type Program, rarely } from "./program.ts";
import { CALL_SCENARIOS } from "./scenarios_of_calls.ts";
import { CHANNEL_SCENARIOS } from "./scenarios_of_channels.ts";
import { CONNECTION_SCENARIOS } from "./scenarios_of_connections.ts";
import { HTTP_SCENARIOS } from "./scenarios_of_http.ts";
import { RUN_SCENARIOS } from "./scenarios_of_runs.ts";
import { SETTING_SCENARIOS } from "./scenarios_of_settings.ts";
import type { Scenario } from "./script.ts";
import { THEMES } from "./themes.ts";

/** All scenarios. */
export const SCENARIOS: readonly Scenario[] = [
  ...CONNECTION_SCENARIOS,
  ...RUN_SCENARIOS,
  ...CALL_SCENARIOS,
  ...HTTP_SCENARIOS,
  ...CHANNEL_SCENARIOS,
  ...SETTING_SCENARIOS,
];

const LATENCIES: readonly Program["latency"][] = [[1, 1], [1, 1], [1, 5], [0, 20], [0, 200]];

/** Generates programs of a scenario. */
export function programsOf(scenario: Scenario): fc.Arbitrary<Program> {
  const { slots, clients, faults, nodes = 1, fewestNodes = 1 } = scenario;
  const { latencies = LATENCIES, mostFaults = 2 } = scenario;
  return fc.record({
    seed: fc.nat({ max: 1_000_000 }),
    nodes: fc.integer({ min: fewestNodes, max: nodes }),
    isCalm: fc.oneof({ weight: 19, arbitrary: fc.constant(false) }, fc.constant(true)),
    cutsMsgpack: rarely(fc.constant(true), 4),
    latency: fc.constantFrom(...latencies),
    clients: fc.tuple(...clients),
    steps: fc.tuple(...slots).map((all) => all.flat()),
    // Some rules judge only what no fault has affected.
    faults: faults
      ? fc.oneof(
        {
          weight: 3,
          arbitrary: fc.array(faults, { minLength: 1, maxLength: mostFaults, size: "max" }),
        },
        fc.constant([]),
      )
      : fc.constant([]),
  }) as fc.Arbitrary<Program>;
}

/** Programs of a random theme. */
const mixed = fc.oneof(
  ...THEMES.map((theme) => ({ weight: theme.weight, arbitrary: programsAbout(theme) })),
);

/** Generate programs. They take turns, so that each scenario occurs often; every third is mixed. */
export const STRATA: readonly fc.Arbitrary<Program>[] = SCENARIOS.flatMap((scenario, index) => {
  const own = programsOf(scenario);
  return index % 2 === 0 ? [mixed, own] : [own];
});

/** Generates programs of any kind. */
export const programs: fc.Arbitrary<Program> = fc.oneof(...STRATA);
