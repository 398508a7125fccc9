/** A bare TCP server that takes whatever comes and answers nothing; a websocket that nobody has a seat for it closes, as a node does. */
import { createServer } from "node:net";

const NOBODYS = "/p/r?sessionId=x";

const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    if (bytes.includes(NOBODYS)) socket.destroy();
  });
});
server.listen(0, "127.0.0.1", () => process.send!({ port: (server.address() as { port: number }).port }));
process.on("disconnect", () => process.exit());
