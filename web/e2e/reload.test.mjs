// A page that is loaded again is the same peer; a second tab of the profile is another.

import assert from "node:assert/strict";
import { seesExactly } from "./support/lines.mjs";
import { scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "again";

/** Loopback is a secure context even over http; any other name is not. */
for (const { name, secure, base } of [
  { name: "on loopback", secure: true, base: (hub) => hub.page },
  { name: "by another name over plain http", secure: false, base: (hub) => `http://hub.test:${hub.ports.http}/` },
]) {
  scenario(`${name}: a reload keeps id, nick, rooms and last lines, and goes on`, async (stage) => {
    const hub = await stage.hub();
    const profile = await stage.profileOnDisk();
    const ada = await stage.person(hub, "ada", ROOM, { profile, base: base(hub) });
    const bob = await stage.person(hub, "bob", ROOM, { base: base(hub) });
    assert.equal(await ada.page.evaluate(() => window.isSecureContext), secure);
    await Promise.all([ada.lists("bob"), bob.lists("ada")]);
    await ada.join("second");
    await ada.openRoom(ROOM);
    await ada.say("from ada");
    await bob.say("from bob");
    await Promise.all([seesExactly(bob, ada.peerId, ["from ada"]), seesExactly(ada, bob.peerId, ["from bob"])]);
    const before = ada.peerId;

    await ada.reload();
    assert.equal(ada.peerId, before, "the key was kept");
    assert.equal(await ada.find("nick-input").first().inputValue(), "ada");
    assert.ok((await ada.inRoom(ROOM)) && (await ada.inRoom("second")), "the rooms were kept");
    await seesExactly(ada, ada.peerId, ["from ada"]);
    await seesExactly(ada, bob.peerId, ["from bob"]);
    await bob.lists("ada");
    await ada.say("and again");
    await bob.say("welcome back");
    await seesExactly(bob, ada.peerId, ["from ada", "and again"]);
    await seesExactly(ada, bob.peerId, ["from bob", "welcome back"]);
  });

  scenario(`${name}: a second tab is another peer, says so, and both chat`, async (stage) => {
    const hub = await stage.hub();
    const profile = await stage.profileOnDisk();
    const first = await stage.person(hub, "first", ROOM, { profile, base: base(hub) });
    const second = await stage.person(hub, "second", ROOM, { profile, base: base(hub) });
    assert.equal(await second.page.evaluate(() => window.isSecureContext), secure);
    assert.notEqual(second.peerId, first.peerId);
    await second.says("second guest");
    assert.ok(!(await first.page.locator("body").innerText()).includes("second guest"), "the first tab is no guest");
    await Promise.all([first.lists("second"), second.lists("first")]);
    await first.say("one");
    await second.say("two");
    await seesExactly(second, first.peerId, ["one"]);
    await seesExactly(first, second.peerId, ["two"]);

    // The first key is free again when its tab is closed: the next tab is its peer.
    await first.page.close();
    const next = await stage.person(hub, undefined, ROOM, { profile, base: base(hub) });
    assert.equal(next.peerId, first.peerId);
    await seesExactly(next, first.peerId, ["one"]);
    await until("the new tab knows the other one", async () => (await next.peers()).some((row) => row.peer === second.peerId));
  });
}
