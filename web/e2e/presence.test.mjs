// Who is in a room: listed by nick, gone when killed, back at once.

import assert from "node:assert/strict";
import { scenario } from "./support/stage.mjs";
import { passed } from "./support/wait.mjs";

const ROOM = "who";
/** Within it nobody who was killed is listed any more. */
const GONE_MS = 30_000;
/** Within it the next line reaches who came back. */
const NEXT_LINE_MS = 1_000;

scenario("each lists the two others by nick, and who is killed is gone", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await Promise.all([ada.lists("bob"), ada.lists("tom"), bob.lists("ada"), bob.lists("tom")]);
  assert.equal((await ada.text("peer-count")).match(/\d+/)[0], "2", "hubs are not counted");
  assert.equal((await ada.peers()).filter((row) => row.hub).length, 1, "the hub has a row of its own");

  await tom.kill("SIGKILL");
  await Promise.all([ada.unlists("tom", GONE_MS), bob.unlists("tom", GONE_MS)]);
  await bob.crash();
  await ada.unlists("bob", GONE_MS);
  assert.equal((await ada.text("peer-count")).match(/\d+/)[0], "0");
});

scenario("a new nick is told to the others, and stays with the page", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
  await ada.lists("bob");
  await bob.takeNick("bobby ❤");
  await ada.lists("bobby ❤");
  await bob.reload();
  await ada.lists("bobby ❤");
});

for (const away of [0, 1_000, 3_000]) {
  scenario(`who leaves the room and comes back after ${away / 1000} s gets the next line within a second`, async (stage) => {
    const hub = await stage.hub();
    const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
    await Promise.all([ada.lists("bob"), bob.lists("ada")]);
    await bob.say("before");
    await ada.sees("before");

    await ada.leave(ROOM);
    await passed(away);
    await ada.join(ROOM);
    await bob.say("after");
    await ada.sees("after", NEXT_LINE_MS);
    assert.equal((await ada.textsOf(bob.peerId)).filter((text) => text === "after").length, 1);
  });
}
