// Takes the place of `terminate.ts` where a bundler builds for browsers, see `browser` in
// `package.json`: a browser cannot drop a socket, so the code for the other runtimes is left out.

/** Does nothing in browsers. */
export function observeSockets(): void {}

/**
 * Closes a WebSocket with a closing handshake, which takes until the peer responds.
 *
 * @returns Always `false`: the connection is not dropped.
 */
export function terminate(socket: WebSocket): boolean {
  socket.close();
  return false;
}
