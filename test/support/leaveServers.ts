/**
 * Started by `servers.test.ts`: starts a server of each kind and a Node process that listens, tells their ports, and
 * waits to be killed.
 */
import { freePort } from "../../scripts/processes/freePort.ts";
import { Program } from "../../scripts/processes/Program.ts";
import { startMariaDb } from "../../scripts/servers/mariadb.ts";
import { startRedis } from "../../scripts/servers/redis.ts";

const [redis, database] = await Promise.all([startRedis(), startMariaDb()]);
const port = await freePort();
const listen = `require("net").createServer().listen(${port}, "127.0.0.1", () => console.log("listening"))`;
const child = await Program.start({ name: "listener", command: process.execPath, args: ["-e", listen] });
await child.line("listening", (line) => line === "listening" || undefined);

process.send!([redis.port, database.port, port]);
setInterval(() => {}, 60_000);
