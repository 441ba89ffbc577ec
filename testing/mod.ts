/**
 * What tests of clients of Dispatch need: a proxy with faults, and a server that follows a script.
 *
 * @module
 */
export {
  createTestDispatch,
  ExpectationError,
  type Followed,
  type RecordOf,
  type TestDispatch,
  type TestDispatchOptions,
} from "./env.ts";
export { type MockFrame, MockTransport } from "./mock_transport.ts";
export {
  createFaultProxy,
  type CutKind,
  type CutLimit,
  type Direction,
  type FaultProxy,
  type FaultProxyOptions,
  type ProxyConnection,
} from "./proxy.ts";
export {
  createScriptedServer,
  PeerGoneError,
  type ScriptedPeer,
  type ScriptedServer,
  type ScriptedServerOptions,
} from "./scripted_server.ts";
export { type Clock, type TimerHandle } from "../runtime/clock.ts";
export { type Frame, type FrameType, type WireError } from "../protocol/frame.ts";
