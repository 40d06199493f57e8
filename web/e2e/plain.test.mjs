// Rooms of other programs: raw text, from pages and terminals alike.

import assert from "node:assert/strict";
import { address, scenario } from "./support/stage.mjs";

const ROOM = "raw";

scenario("a plain room by link, by box and from a terminal carries text that is marked as unsigned", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  await ada.open(`${address(hub.page, ROOM)}&plain`, "ada");
  const bob = await stage.person(hub, "bob", "elsewhere");
  await bob.find("room-plain").check();
  await bob.join(ROOM);
  await bob.openRoom(ROOM);
  assert.match(await bob.page.evaluate(() => location.hash), /^#room=raw&plain$/, "the link to share says so too");
  const tom = stage.terminal("tom", ROOM, [hub.tcp], ["--plain"]);
  // Plain lines prove nothing, so nobody hands them to those who come later.
  await tom.line(/^joined: /, { stream: "err" });

  await ada.say("from ada");
  await Promise.all([bob.sees("from ada"), tom.line(/^\[raw\] unsigned \(\w+\): from ada$/)]);
  tom.say("from tom");
  await Promise.all([ada.sees("from tom"), bob.sees("from tom")]);
  const marked = await bob.page.locator('[data-testid="message"][data-plain]').count();
  assert.equal(marked, (await bob.messages()).length, "every line is marked");
});
