/** Requests as bytes over a socket of one's own: what no client library would send. */
import { connect } from "node:net";
import type { AdminServer } from "../../src/admin/index.js";

/** Everything that comes back until the server closes the connection, or `until` is in it. */
export function exchange(
  { host, port }: Pick<AdminServer, "host" | "port">,
  pieces: readonly (string | Uint8Array)[],
  until?: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    const received: Buffer[] = [];
    const text = (): string => Buffer.concat(received).toString("latin1");
    socket.on("data", (bytes: Buffer) => {
      received.push(bytes);
      if (until !== undefined && text().includes(until)) socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // A server that has answered may reset what is still being sent.
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.on("close", () => resolve(text()));
    for (const piece of pieces) socket.write(piece);
  });
}

/** Opens a connection, sends `bytes` and goes away without waiting. */
export function hangUp({ host, port }: Pick<AdminServer, "host" | "port">, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      socket.write(bytes, () => {
        socket.resetAndDestroy();
      });
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
  });
}

/** Status line and the JSON of the first answer. */
export function answerOf(text: string): {
  readonly status: number;
  readonly body: { readonly code?: string };
} {
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  const body = /\r\n\r\n(\{.*?\})(?=HTTP\/|$)/s.exec(text)?.[1];
  return { status, body: body === undefined ? {} : (JSON.parse(body) as { code?: string }) };
}
