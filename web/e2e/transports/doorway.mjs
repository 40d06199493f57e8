// Another address of this machine for a hub that listens on loopback alone. Firefox gathers no loopback candidate, whatever
// its preferences say, and pairs none of its other candidates with a loopback address.

import dgram from "node:dgram";
import os from "node:os";

const LOOPBACK = "127.0.0.1";
const DIALLED = /^\/ip4\/127\.0\.0\.1\/udp\/(\d+)\//;

/** An address of this machine that is not loopback; nothing when it has none. */
export function outerAddress() {
  const all = Object.values(os.networkInterfaces()).flat();
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
}

const bound = (address) =>
  new Promise((resolve, reject) => {
    const socket = dgram.createSocket("udp4");
    socket.once("error", reject);
    socket.bind(0, address, () => {
      socket.off("error", reject);
      // A datagram that nobody takes is lost, as on any path.
      socket.on("error", () => {});
      resolve(socket);
    });
  });

/**
 * Passes datagrams on, each dialler's from a socket of its own; answers the address to dial instead, and `end`.
 * Those sockets are not on loopback either: a hub's answer names the address it sees, and Firefox takes none from loopback.
 */
export async function doorway(address) {
  const outer = outerAddress();
  if (!outer) throw new Error("this machine has loopback addresses alone, by which Firefox dials nobody");
  const port = Number(DIALLED.exec(address)[1]);
  const near = await bound(outer);
  const ways = new Map();
  const way = (from) => {
    const far = bound(outer).then((socket) => socket.on("message", (message) => near.send(message, from, outer)));
    ways.set(from, far);
    return far;
  };
  near.on("message", async (message, { port: from }) => (await (ways.get(from) ?? way(from))).send(message, port, LOOPBACK));
  const end = async () => {
    near.close();
    for (const far of ways.values()) (await far).close();
  };
  return { address: address.replace(DIALLED, `/ip4/${outer}/udp/${near.address().port}/`), end };
}
