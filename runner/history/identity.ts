import { isAbsolute, relative, resolve, sep } from "node:path";
import { currentDirectory } from "../../runtime/process.ts";

/** What makes runs comparable: the same case, against the same server. */
export interface CaseKey {
  /** `embedded`, or the host of the server's address. */
  server: string;
  /** The recipe's file. */
  file: string;
  /** The case's name, with the values of its matrix. */
  name: string;
}

/** A server as a history knows it: times against different ones are different. */
export function serverKey(server: string): string {
  return URL.canParse(server) ? new URL(server).host : server;
}

/** A file as a history knows it, however it was given: from the current directory, with slashes. */
export function fileKey(file: string): string {
  const path = relative(currentDirectory(), resolve(file));
  const outside = path.startsWith("..") || isAbsolute(path);
  return (outside ? resolve(file) : path).replaceAll(sep, "/");
}
