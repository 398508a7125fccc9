import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A free TCP port on the loopback interface, below the range from which systems take the ports of outgoing connections:
 * a port of that range can be taken while its server is down for a restart, even by a client that means to reconnect to it.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
  throw new Error("found no free port between 12000 and 32000 on 127.0.0.1");
}

/** Whether nobody listens on `port` of the loopback interface. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch {
    return false;
  }
  await new Promise((done) => server.close(done));
  return true;
}
