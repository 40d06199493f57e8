// The hub dies and comes back: nobody reloads, nothing is lost, nothing comes twice.

import assert from "node:assert/strict";
import { seesExactly } from "./support/lines.mjs";
import { scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "phoenix";
/** From the hub's listening until everybody chats. */
const BACK_MS = 15_000;

scenario("hub killed and back on the same ports: all chat again by themselves", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await Promise.all([ada.lists("bob"), ada.lists("tom"), bob.lists("ada"), bob.lists("tom")]);
  const tomId = (await ada.lists("tom")).peer;
  const said = { ada: ["ada before"], bob: ["bob before"], tom: ["tom before"] };
  await Promise.all([ada.say(said.ada[0]), bob.say(said.bob[0]), tom.say(said.tom[0])]);
  const everythingIsSeen = async (within) => {
    const deadline = performance.now() + within;
    const left = () => ({ within: Math.max(0, deadline - performance.now()) });
    for (const page of [ada, bob]) {
      await seesExactly(page, ada.peerId, said.ada, left());
      await seesExactly(page, bob.peerId, said.bob, left());
      await seesExactly(page, tomId, said.tom, left());
    }
    await seesExactly(tom, ada.peerId, said.ada, { ...left(), lineFeeds: false });
    await seesExactly(tom, bob.peerId, said.bob, { ...left(), lineFeeds: false });
  };
  await everythingIsSeen(BACK_MS);
  const [id, certificate] = [hub.peerId, hub.webrtc];

  ada.mayLoseHub = bob.mayLoseHub = true;
  await hub.kill("SIGKILL");
  await Promise.all([ada.status("online", { not: true }), bob.status("online", { not: true })]);
  for (const [name, person] of Object.entries({ ada, bob, tom })) {
    for (let i = 0; i < 5; i++) {
      said[name].push(`${name} meanwhile ${i}`);
      await person.say(said[name].at(-1));
    }
  }
  for (const page of [ada, bob]) {
    const waiting = () => page.messages().then((all) => all.filter((one) => one.state === "waiting"));
    await until(`${page.name} shows five lines as waiting`, async () => (await waiting()).length === 5);
  }

  await hub.start();
  assert.equal(hub.peerId, id, "the hub kept its key");
  assert.equal(hub.webrtc, certificate, "the hub kept its certificate");
  await everythingIsSeen(BACK_MS);
  for (const page of [ada, bob]) {
    assert.ok((await page.messages()).every((one) => one.state !== "waiting"), "nothing waits any more");
  }

  for (const [name, person] of Object.entries({ ada, bob, tom })) {
    said[name].push(`${name} after`);
    await person.say(said[name].at(-1));
  }
  await everythingIsSeen(BACK_MS);
});
