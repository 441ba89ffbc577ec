export { Environment, serialize } from "@marcbachmann/cel-js";
