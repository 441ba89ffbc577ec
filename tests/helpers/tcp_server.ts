import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** A server below HTTP. */
export interface TcpServer extends AsyncDisposable {
  port: number;
  /** Everything that clients have sent, as Latin-1 text. */
  received(): string;
  /** The number of connections so far. */
  accepted(): number;
}

/** Listens on a free port of 127.0.0.1 and passes each connection to `handle`. */
export function tcpServer(handle: (socket: Socket, index: number) => void): Promise<TcpServer> {
  return listen((accept) => createServer(accept), handle);
}

/** A server that speaks TLS, with a certificate that it has signed itself. */
export function tlsServer(handle: (socket: Socket, index: number) => void): Promise<TcpServer> {
  return listen((accept) => createTlsServer({ key: KEY, cert: CERTIFICATE }, accept), handle);
}

async function listen(
  create: (accept: (socket: Socket) => void) => Server,
  handle: (socket: Socket, index: number) => void,
): Promise<TcpServer> {
  const sockets = new Set<Socket>();
  let received = "";
  let accepted = 0;
  const server = create((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // The "close" event that follows is handled.
    socket.on("error", () => {});
    socket.on("data", (data) => received += data.toString("latin1"));
    handle(socket, accepted++);
  });
  // A client that distrusts the certificate ends the handshake.
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    accepted: () => accepted,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A key and a certificate for `localhost` and 127.0.0.1 that only tests use. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLD4iPHtw3jMfS5+s
Fxi3tyqKPdeYKTYKMVxm2yWrgO2hRANCAASgfluci2z+FBaPHXOhPvaLWwaMqCvC
GfwPY5K2Y8y/4KGnDsz3JxohVV4woOQKoBSoUo21xQN/aEaRfL+Qa51k
-----END PRIVATE KEY-----
`;
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmDCCAT6gAwIBAgIUdnsZX5NpOrJYpHVRQpNI0NMjk90wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODIxMTMwNVoYDzIxMjYxMTA0
MjExMzA1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASgfluci2z+FBaPHXOhPvaLWwaMqCvCGfwPY5K2Y8y/4KGnDsz3Jxoh
VV4woOQKoBSoUo21xQN/aEaRfL+Qa51ko2wwajAdBgNVHQ4EFgQU7F01mIUJ47al
AjJIqGg765CeJjkwHwYDVR0jBBgwFoAU7F01mIUJ47alAjJIqGg765CeJjkwGgYD
VR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAwGA1UdEwEB/wQCMAAwCgYIKoZIzj0E
AwIDSAAwRQIhAJiLmm31Tf6tnUQfwcW4Y6xupfEPUX/cNwGvcQStPkWYAiBoU9l5
KnAyImc5B67m9c5SYCGDeo7SlG/Zi8r3x8g2dQ==
-----END CERTIFICATE-----
`;
