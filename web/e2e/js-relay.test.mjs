// Peers of js-libp2p that cannot be dialled meet on the hub's circuits, within the hub's bounds.

import assert from "node:assert/strict";
import { jsPage, jsProcess } from "./support/js.mjs";
import { scenario } from "./support/stage.mjs";

const ROOM = "behind";
/** What a circuit carries, as docs/operating.md and the hub's defaults have it. */
const CIRCUIT = { bytes: 1024 * 1024, seconds: 120 };

scenario("a js page reaches another through its reservation; the circuit is bounded; rooms go on through the hub", async (stage) => {
  const hub = await stage.hub();
  const jan = await jsPage(stage, "jan", { listen: [`${hub.ws}/p2p-circuit`] });
  const reserved = (await jan.ask("addresses")).find((address) => address.startsWith(hub.ws));
  assert.equal(reserved, `${hub.ws}/p2p-circuit/p2p/${jan.peerId}`, "the hub's address is what others dial");
  for (const begin of [jsPage, jsProcess]) {
    const jun = await begin(stage, "jun");
    assert.equal(await jun.ask("echo", reserved, "over the string"), "over the string");
    assert.ok((await jun.ask("ping", jan.peerId)) >= 0);
    const left = await jun.ask("limits", jan.peerId);
    assert.ok(left.bytes > CIRCUIT.bytes / 2 && left.bytes < CIRCUIT.bytes, `${left.bytes} bytes are left of what the hub grants`);
    assert.ok(left.seconds > 0 && left.seconds <= CIRCUIT.seconds, `so are ${left.seconds} s`);
    assert.equal(await jun.ask("limits", hub.peerId), null, "the way to the hub itself is direct");
    const back = await jun.ask("echo", reserved, "x".repeat(CIRCUIT.bytes));
    assert.ok(back.length < CIRCUIT.bytes, `there and back is more than a circuit carries; ${back.length} bytes came`);
    assert.equal(await jun.ask("echo", reserved, "again"), "again", "the next circuit begins anew");

    // Gossip keeps off circuits; the hub carries the room.
    for (const js of [jan, jun]) {
      await js.ask("enter", ROOM);
      await js.seesMember(ROOM, hub.peerId);
    }
    assert.deepEqual(await jun.ask("say", ROOM, `from ${jun.name}`), [hub.peerId]);
    await jan.hears((line) => line.text === `from ${jun.name}` && line.from === jun.peerId);
  }
});
