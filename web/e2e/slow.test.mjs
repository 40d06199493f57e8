// A page on a slow line: what takes long is not given up as long as something arrives.

import assert from "node:assert/strict";
import { address, scenario } from "./support/stage.mjs";
import { hide, hideable, show } from "./support/unseen.mjs";
import { passed, until } from "./support/wait.mjs";

const ROOM = "slow";
const LINE_BYTES = 1000;
/** What a machine under load needs besides. */
const SPARE_MS = 60_000;

const linesOf = (count) => Array.from({ length: count }, (_, i) => `line ${i} `.padEnd(LINE_BYTES, "x"));

/** Somebody in a room whose line to the hub is slow from now on, and somebody in a terminal who says lines. */
async function onSlowLine(stage, room, bytesPerSecond) {
  const hub = await stage.hub();
  const wire = await stage.wire(hub);
  const ada = await hideable(await stage.somebody("ada"));
  await ada.open(address(hub.page, room, wire.query), "ada");
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  return { hub, ada, tom, slow: () => wire.slow(bytesPerSecond), wire };
}

scenario("shown again and again while lines arrive slowly, a page keeps its connection and shows all of them", async (stage) => {
  const rate = 10_000;
  const { ada, tom, slow, wire } = await onSlowLine(stage, ROOM, rate);
  await ada.lists("tom");
  slow();
  const said = linesOf(200);
  for (const text of said) tom.say(text);
  let over = false;
  const looks = async () => {
    while (!over) {
      await hide(ada);
      await show(ada);
      await passed(3_000);
    }
  };
  const within = (2 * 1000 * said.length * LINE_BYTES) / rate + SPARE_MS;
  const all = until("all lines are there", async () => (await ada.messages()).length === said.length, within);
  await Promise.all([looks(), all.finally(() => (over = true))]);
  assert.equal(wire.taken, 1, "the page dialled once");
  assert.deepEqual((await ada.messages()).map(({ text }) => text), said.map((text) => text.trimEnd()));
});

scenario("a room's last lines come over a slow line once, however long they take", async (stage) => {
  const rate = 5_000;
  const { hub, ada, tom, slow, wire } = await onSlowLine(stage, "elsewhere", rate);
  const said = linesOf(150);
  for (const text of said) tom.say(text);
  const eve = stage.terminal("eve", ROOM, [hub.tcp]);
  await until("all lines are said", () => eve.messages().length === said.length);
  const before = wire.brought;
  slow();
  await ada.join(ROOM);
  await until("all lines are there", async () => (await ada.messages()).length === said.length, 120_000);
  assert.equal(wire.taken, 1, "the page dialled once");
  const brought = wire.brought - before;
  assert.ok(brought < 2 * said.length * LINE_BYTES, `${brought} bytes came for ${said.length} lines`);
});
