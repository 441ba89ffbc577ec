import { isAbsolute, relative, resolve, sep } from "node:path";
import { currentDirectory } from "../../runtime/process.ts";

/** Identifies a case across runs. Runs are compared if they have the same key. */
export interface CaseKey {
  /** `embedded`, or the host of the server's address. */
  server: string;
  /** The recipe's file. */
  file: string;
  /** The case's name, with the values of its matrix. */
  name: string;
}

/** Returns the key of a case by what an event says about it. */
export function caseKey(server: string, file: string, name: string): CaseKey {
  return { server: serverKey(server), file: fileKey(file), name };
}

/** The server in a {@linkcode CaseKey}: the host of an address, or the name as it is. */
export function serverKey(server: string): string {
  return URL.canParse(server) ? new URL(server).host : server;
}

/**
 * The file in a {@linkcode CaseKey}: relative to the current directory, with forward slashes, so that
 * it is the same on every machine.
 */
export function fileKey(file: string): string {
  const path = relative(currentDirectory(), resolve(file));
  const outside = path.startsWith("..") || isAbsolute(path);
  return (outside ? resolve(file) : path).replaceAll(sep, "/");
}
