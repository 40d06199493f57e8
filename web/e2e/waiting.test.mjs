// A line said with nobody there waits, is kept, and arrives when somebody comes.

import assert from "node:assert/strict";
import { seesExactly } from "./support/lines.mjs";
import { scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "patience";

scenario("a line said alone waits, survives a reload, and arrives when somebody comes", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM, { profile: await stage.profileOnDisk() });
  await ada.say("is anybody there?");
  assert.equal((await ada.sees("is anybody there?")).state, "waiting");
  await ada.reload();
  assert.equal((await ada.sees("is anybody there?")).state, "waiting", "kept over the reload");

  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await seesExactly(tom, ada.peerId, ["is anybody there?"]);
  await until("the line no longer waits", async () => (await ada.messages()).every((one) => one.state === "sent"));
  await tom.say("here I am");
  await ada.sees("here I am");
  await ada.say("good");
  await seesExactly(tom, ada.peerId, ["is anybody there?", "good"]);
});
