/** A bare TCP server that takes whatever comes and answers nothing. */
import { createServer } from "node:net";

const server = createServer((socket) => socket.on("error", () => {}).resume());
server.listen(0, "127.0.0.1", () => process.send!({ port: (server.address() as { port: number }).port }));
process.on("disconnect", () => process.exit());
