import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { until } from "../support/processes.ts";
import { Link } from "./Link.ts";

const PATIENCE = { timeoutMs: 10_000 };

describe("a link to a server", () => {
  let server: Server;
  let link: Link;
  const ends: Socket[] = [];

  beforeEach(async () => {
    // Says everything back.
    server = createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    link = await Link.to((server.address() as { port: number }).port);
  });

  afterEach(() => {
    for (const end of ends.splice(0)) end.destroy();
    link.close();
    server.close();
  });

  /** A client, and what it has heard. */
  function client(): { socket: Socket; heard: () => string; isClosed: () => boolean } {
    const socket = connect(link.port, "127.0.0.1");
    let [heard, isClosed] = ["", false];
    socket.on("data", (chunk) => (heard += chunk)).on("error", () => {});
    socket.on("close", () => {
      isClosed = true;
    });
    ends.push(socket);
    return { socket, heard: () => heard, isClosed: () => isClosed };
  }

  const hears = ({ heard }: ReturnType<typeof client>, text: string) =>
    until(() => heard() === text, { ...PATIENCE, what: `"${text}" comes back` });
  const isCut = ({ isClosed }: ReturnType<typeof client>) => until(isClosed, { ...PATIENCE, what: "it is cut" });

  /** A client on which something has come back already. */
  async function open(): Promise<ReturnType<typeof client>> {
    const opened = client();
    opened.socket.write("a");
    await hears(opened, "a");
    return opened;
  }

  it("passes everything on, both ways, and cuts what is open when told", async () => {
    const one = await open();
    link.cut();
    await isCut(one);
    await open();
  });

  it("has open connections fall silent, while new ones work", async () => {
    const one = await open();
    link.silence();
    one.socket.write("b");
    await open();
    assert.deepEqual([one.heard(), one.isClosed()], ["a", false]);
  });

  it("is a black hole for new connections too, until it is healed", async () => {
    const one = await open();
    link.blackHole();
    const two = client();
    one.socket.write("b");
    two.socket.write("b");
    await until(() => link.connections === 2, { ...PATIENCE, what: "it is connected" });
    link.heal();
    await open();
    assert.deepEqual([one.heard(), two.heard(), one.isClosed(), two.isClosed()], ["a", "", false, false]);
  });

  it("refuses new connections, until it is healed", async () => {
    link.refuse();
    await isCut(client());
    link.heal();
    await open();
  });

  it("loses the answers to commands with certain words, as many as asked for, and what follows on their connections", async () => {
    const [one, two] = [await open(), await open()];
    link.swallowAnswers("COMMIT", 1);
    one.socket.write("COMMIT");
    await until(() => one.socket.bytesWritten === 7, { ...PATIENCE, what: "it is sent" });
    one.socket.write("more");
    await open();
    two.socket.write("COMMIT");
    await hears(two, "aCOMMIT");
    assert.deepEqual([one.heard(), one.isClosed()], ["a", false]);
  });

  it("brings what is late in its order, also when what follows is not late", async () => {
    const one = await open();
    link.delay(50);
    one.socket.write("b");
    await until(() => one.socket.bytesWritten === 2, { ...PATIENCE, what: "it is sent" });
    link.heal();
    one.socket.write("c");
    await hears(one, "abc");
  });
});
