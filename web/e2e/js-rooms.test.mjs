// A room shared with js-libp2p: plain text both ways, and what each makes of the other's lines.

import assert from "node:assert/strict";
import { jsPage, jsProcess } from "./support/js.mjs";
import { address, scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "commons";
const AWKWARD = "🥫 left \u202e right <b>bold</b>";

scenario("in a plain room a page, a terminal, a js page and a js process read each other's text", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  await ada.open(`${address(hub.page, ROOM)}&plain`, "ada");
  const tom = stage.terminal("tom", ROOM, [hub.tcp], ["--plain"]);
  await tom.line(/^joined: /, { stream: "err" });
  const crew = await Promise.all([jsPage(stage, "jan"), jsProcess(stage, "jun")]);
  const hears = (js, from, text) => js.hears((line) => line.room === ROOM && line.text === text && (!from || line.from === from));
  for (const js of crew) {
    await js.enter(hub.ws, ROOM);
    await js.ask("say", ROOM, `${AWKWARD} from ${js.name}`);
    // Whoever was heard is in the hub's mesh: what is said from now on reaches them.
    await tom.line(new RegExp(`^\\[${ROOM}\\] guest \\(${js.peerId.slice(-6)}\\): .* from ${js.name}$`));
  }
  const [jan, jun] = crew;
  await ada.sees(`🥫 left  right <b>bold</b> from ${jan.name}`);
  await hears(jan, jun.peerId, `${AWKWARD} from ${jun.name}`);

  await ada.say("from ada");
  tom.say("from tom");
  for (const js of crew) {
    await hears(js, ada.peerId, "from ada");
    await hears(js, undefined, "from tom");
  }
  const { from } = (await jan.ask("lines")).find(({ text }) => text === "from tom");
  assert.ok(tom.messages().some((line) => line.text === "from ada"), "tom and ada read each other too");
  assert.notEqual(from, ada.peerId);
  for (const js of crew) {
    assert.ok((await js.ask("lines")).every(({ frame }) => !frame), "nobody sends a frame into a plain room");
  }
  assert.equal(await ada.page.locator('[data-testid="message"]:not([data-plain])').count(), 0, "all is plain text");
});

scenario("in a room of Tincan's a js peer is a member, its text is marked, and it gets our frames", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await ada.lists("tom");
  const crew = await Promise.all([jsPage(stage, "jan"), jsProcess(stage, "jun")]);
  for (const js of crew) {
    await js.enter(hub.ws, ROOM);
    await js.ask("say", ROOM, `from ${js.name}`);
    await ada.sees(`from ${js.name}`);
    await tom.line(new RegExp(`^\\[${ROOM}\\] unsigned \\(\\w+\\): from ${js.name}$`));
    await until(`ada lists ${js.name}`, async () => (await ada.peers()).some((row) => row.peer === js.peerId && !row.hub));
  }
  await ada.say("signed by ada");
  tom.say("signed by tom");
  for (const js of crew) {
    const { frame } = await js.hears((line) => line.frame?.said === "signed by ada");
    assert.deepEqual([frame.author, frame.nick, frame.kind], [ada.peerId, "ada", "1"]);
    await js.hears((line) => line.frame?.said === "signed by tom" && line.frame.nick === "tom");
    assert.ok((await js.ask("lines")).every((line) => !line.frame?.refused), "every frame verifies");
  }
  const plain = await ada.page.locator('[data-testid="message"][data-plain]').count();
  assert.equal(plain, crew.length, "the text of other programs is marked, ours is not");
});
