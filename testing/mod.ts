/**
 * Tools for testing programs that use Dispatch: a test environment with a server and a client, a
 * proxy that injects faults, and a server that follows a script.
 *
 * @module
 */
export {
  createTestDispatch,
  ExpectationError,
  type RecordOf,
  type RunOrJob,
  type TestDispatch,
  type TestDispatchOptions,
} from "./env.ts";
export { type MockFrame, MockTransport } from "./mock_transport.ts";
export { createFaultProxy, type FaultProxy, type FaultProxyOptions } from "./proxy.ts";
export {
  type CutKind,
  type CutLimit,
  type Direction,
  type ProxyConnection,
} from "./proxy_connection.ts";
export {
  createScriptedServer,
  PeerGoneError,
  type ScriptedPeer,
  type ScriptedServer,
  type ScriptedServerOptions,
} from "./scripted_server.ts";
export {
  type FaultPolicy,
  seededFaults,
  type SeededFaultsOptions,
  WORLD_FAULTS,
  type WorldFault,
  type WorldFaultAction,
  type WorldFrame,
} from "./world/faults.ts";
export { type WorldConnection } from "./world/connection.ts";
export { type WorldClock } from "./world/timeline.ts";
export { type TraceEntry } from "./world/trace.ts";
export { type World, type WorldNode, type WorldOptions } from "./world/options.ts";
export { createWorld, WorldError } from "./world/world.ts";
export { OptionsError } from "../dev/options_error.ts";
export { type Clock, type TimerHandle } from "../runtime/clock.ts";
export { type Frame, type FrameType, type WireError } from "../protocol/frame.ts";
