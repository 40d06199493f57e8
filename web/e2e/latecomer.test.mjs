// Who comes late or was away sees what was said, once.

import { seesExactly } from "./support/lines.mjs";
import { scenario } from "./support/stage.mjs";
import { passed } from "./support/wait.mjs";

const ROOM = "late";
/** "At once", on a busy machine, after the page is online. */
const AT_ONCE_MS = 3_000;
/** How long the wire stays cut. */
const CUT_MS = 20_000;

scenario("a late-comer sees the last lines at once, page and terminal", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
  await Promise.all([ada.lists("bob"), bob.lists("ada")]);
  const said = Array.from({ length: 20 }, (_, i) => `early ${i}`);
  for (const line of said) await ada.say(line);
  await seesExactly(bob, ada.peerId, said);

  const eve = await stage.person(hub, "eve", ROOM);
  await seesExactly(eve, ada.peerId, said, { within: AT_ONCE_MS });
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await seesExactly(tom, ada.peerId, said, { lineFeeds: false });
});

scenario("a page cut off from the living hub for 20 s then shows every line once", async (stage) => {
  const hub = await stage.hub();
  const wire = await stage.wire(hub);
  const [ada, bob] = [
    await stage.person(hub, "ada", ROOM, { query: wire.query }),
    await stage.person(hub, "bob", ROOM),
  ];
  await Promise.all([ada.lists("bob"), bob.lists("ada")]);
  const said = { ada: ["ada before"], bob: ["bob before"] };
  await ada.say(said.ada[0]);
  await bob.say(said.bob[0]);
  await Promise.all([seesExactly(bob, ada.peerId, said.ada), seesExactly(ada, bob.peerId, said.bob)]);

  ada.mayLoseHub = true;
  await wire.cut();
  const mended = passed(CUT_MS).then(() => wire.mend());
  await ada.status("online", { not: true });
  for (let i = 0; i < 20; i++) {
    said.bob.push(`bob meanwhile ${i}`);
    await bob.say(said.bob.at(-1));
  }
  said.ada.push("ada meanwhile");
  await ada.say(said.ada.at(-1));
  await mended;
  await ada.status("online");
  await seesExactly(ada, bob.peerId, said.bob);
  await seesExactly(bob, ada.peerId, said.ada);

  await ada.say("ada after");
  await bob.say("bob after");
  await seesExactly(ada, bob.peerId, [...said.bob, "bob after"]);
  await seesExactly(bob, ada.peerId, [...said.ada, "ada after"]);
  await seesExactly(ada, ada.peerId, [...said.ada, "ada after"]);
});
