// Peers of js-libp2p join a hub, from a page and from a process, over both transports they share with it.

import assert from "node:assert/strict";
import { jsPage, jsProcess } from "./support/js.mjs";
import { scenario } from "./support/stage.mjs";

const ROOM = "arrivals";
/** Fresh peers that join over one transport. */
const JOINS = 20;

const PLACES = [jsPage, jsProcess];
const TRANSPORTS = {
  ws: { name: "ws", seen: /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/ws$/ },
  webrtc: { name: "webrtc-direct", seen: /^\/ip4\/127\.0\.0\.1\/udp\/\d+\/webrtc-direct$/ },
};
/** What a hub says that it speaks. */
const PROTOCOLS = [
  "/ipfs/id/1.0.0",
  "/ipfs/id/push/1.0.0",
  "/ipfs/ping/1.0.0",
  "/libp2p/circuit/relay/0.2.0/hop",
  "/meshsub/1.1.0",
  "/tincan/hub/1.0.0",
  "/tincan/kad/1.0.0",
  "/tincan/sync/1.0.0",
];

for (const [address, { name, seen }] of Object.entries(TRANSPORTS)) {
  scenario(`over ${name}, from a page and a process: the hub is reached, says what it is, and answers a ping`, async (stage) => {
    const hub = await stage.hub();
    const meets = async (begin) => {
      const js = await begin(stage, "jan", { quiet: true });
      const found = await js.ask("meet", hub[address]);
      assert.equal(found.peerId, hub.peerId);
      assert.equal(found.over, hub[address]);
      assert.match(found.agent, /^tincan\/\d+\.\d+\.\d+ \(native\)$/);
      assert.equal(found.version, "tincan/1.0.0");
      assert.deepEqual(PROTOCOLS.filter((one) => !found.protocols.includes(one)), [], "every protocol is named");
      assert.match(found.observed, seen, "the hub tells from where it is dialled");
      assert.ok(found.ponged, "a ping comes back as it was sent");
      await hub.process.line(new RegExp(`connected peer=${js.peerId} transport="${name}"`), { stream: "err" });
    };
    await Promise.all(PLACES.map(meets));
  });
}

/** A fresh peer joins, is heard by the terminal and hears it. */
async function joins(js, address, tom) {
  await js.start();
  await js.enter(address, ROOM);
  await js.ask("say", ROOM, `${js.peerId} is here`);
  await tom.line(new RegExp(`: ${js.peerId} is here$`));
  tom.say(`welcome ${js.peerId}`);
  await js.hears(({ frame }) => frame?.said === `welcome ${js.peerId}`);
  await js.ask("stop");
}

for (const [address, { name }] of Object.entries(TRANSPORTS)) {
  scenario(`${JOINS} of ${JOINS} fresh peers join over ${name}, speak and are spoken to`, async (stage) => {
    const hub = await stage.hub();
    const tom = stage.terminal("tom", ROOM, [hub.tcp]);
    const crew = await Promise.all(PLACES.map((begin) => begin(stage, "jan")));
    for (let i = 0; i < JOINS; i++) await joins(crew[i % crew.length], hub[address], tom);
  });
}
