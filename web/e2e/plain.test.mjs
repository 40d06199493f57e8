// Rooms of other programs: raw text, from pages and terminals alike.

import assert from "node:assert/strict";
import { jsProcess } from "./support/js.mjs";
import { address, scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "raw";

/** What is marked on the screen as not like the rest. */
const marks = (person) => person.page.locator(".line .mark").allTextContents();

scenario("a plain room by link, by box and from a terminal carries text, and marks nothing in it", async (stage) => {
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
  await Promise.all([bob.sees("from ada"), tom.line(/^\[raw\] guest \(\w+\): from ada$/)]);
  tom.say("from tom");
  await Promise.all([ada.sees("from tom"), bob.sees("from tom")]);
  const plain = await bob.page.locator('[data-testid="message"][data-plain]').count();
  assert.equal(plain, (await bob.messages()).length, "every line is plain text");
  for (const person of [ada, bob]) {
    assert.deepEqual(await marks(person), [], "what all lines have in common is no mark");
    assert.ok(!(await person.page.locator(".lines").innerText()).includes("unsigned"));
  }
});

scenario("who joins another program's room with frames is told so, and joins as plain by a button", async (stage) => {
  const hub = await stage.hub();
  const crew = await Promise.all([jsProcess(stage, "jan"), jsProcess(stage, "jun")]);
  for (const js of crew) await js.enter(hub.ws, ROOM);
  const ada = await stage.person(hub, "ada", ROOM);
  const [jan] = crew;
  await ada.says("People here use another program and see your messages as garbage.");
  await ada.say("as a frame");
  await jan.hears((line) => line.frame?.said === "as a frame");
  await ada.find("join-plain").click();
  await until("ada's page says that the room is plain", async () => (await ada.page.evaluate(() => location.hash)) === "#room=raw&plain");
  await until("the note goes", async () => (await ada.find("join-plain").count()) === 0);

  await ada.say("as text");
  await jan.hears((line) => line.text === "as text" && line.from === ada.peerId);
  await jan.ask("say", ROOM, "now I can read you");
  await ada.sees("now I can read you");
  assert.deepEqual((await ada.messages()).map(({ text }) => text), ["as a frame", "as text", "now I can read you"], "what was said stays");
  assert.deepEqual(await marks(ada), ["only for Tincan"], "the frame alone is marked");
  await ada.reload();
  await ada.say("after a reload");
  await jan.hears((line) => line.text === "after a reload");
});

scenario("in a room of Tincan's a stranger of another program is no reason for a note", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", "ours");
  const tom = stage.terminal("tom", "ours", [hub.tcp]);
  await ada.lists("tom");
  const jan = await jsProcess(stage, "jan");
  await jan.enter(hub.ws, "ours");
  await jan.ask("say", "ours", "hello");
  await ada.sees("hello");
  await tom.line(/^\[ours\] unsigned \(\w+\): hello$/);
  assert.deepEqual(await marks(ada), ["from another program"]);
  assert.equal(await ada.find("join-plain").count(), 0);
});
