// With all that is loaded at the start, for the reason given there.
import "./_core.ts";

export { loadMsgpackCodec } from "../protocol/msgpack.ts";
