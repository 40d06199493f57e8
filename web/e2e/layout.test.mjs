// The page at every width, by keyboard alone.

import assert from "node:assert/strict";
import { awkward, seesExactly } from "./support/lines.mjs";
import { address, scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "layout";
/** The narrowest phone. */
const NARROW = { width: 360, height: 640 };
/** A word that no line can hold. */
const LONG_WORD = "w".repeat(300);

/** What reaches over the right edge of the page. */
const overflow = () => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth ? `${scrollWidth} of ${clientWidth}` : "";
};

scenario("nothing scrolls sideways at 360 px, whatever is said and whatever is open", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada", undefined, { viewport: NARROW });
  await ada.open(address(hub.page, ROOM));
  const bob = await stage.person(hub, LONG_WORD.slice(0, 60), ROOM);
  assert.equal(await ada.page.evaluate(overflow), "", "alone");
  for (const line of [...awkward({ lineFeeds: true }), LONG_WORD, `https://example.org/${LONG_WORD}`]) await bob.say(line);
  await ada.sees(LONG_WORD);
  assert.equal(await ada.page.evaluate(overflow), "", "with lines");
  await ada.type(LONG_WORD.repeat(14));
  assert.equal(await ada.page.evaluate(overflow), "", "with an error");
  for (const name of ["Rooms", "People"]) {
    const button = ada.page.getByRole("button", { name, exact: true });
    await button.click();
    assert.equal(await ada.page.evaluate(overflow), "", `with ${name} open`);
    await button.click();
  }
});

/** Where the parts of the conversation stand, in pixels from the top, and how wide the room's name and its text are. */
const parts = () => {
  const place = (selector) => {
    const { top, bottom } = document.querySelector(selector).getBoundingClientRect();
    return { top: Math.round(top), bottom: Math.round(bottom) };
  };
  const name = document.querySelector(".head h1");
  return {
    top: place(".top"),
    head: place(".head"),
    lines: place(".lines"),
    composer: place(".composer"),
    send: place('[data-testid="message-send"]'),
    name: [name.clientWidth, name.scrollWidth],
    height: innerHeight,
  };
};

scenario("on a small phone with its keyboard open, a long draft and a long link leave room for name and lines", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada", undefined, { viewport: { width: 320, height: 568 } });
  await ada.open(address(hub.page, "book-club"), "ada");
  await ada.find("copy-link").click();
  await ada.says("Copied, for this machine only");
  const { name } = await ada.page.evaluate(parts);
  assert.ok(name[0] >= name[1], `the room's name is ${name[1]} px wide and gets ${name[0]}`);
  assert.equal(await ada.page.evaluate(overflow), "");

  await ada.find("message-input").fill("a\nb\nc\nd\ne\nf\ng");
  for (const viewport of [{ width: 320, height: 260 }, { width: 568, height: 200 }]) {
    await ada.page.setViewportSize(viewport);
    const told = `at ${viewport.width}×${viewport.height}: ${JSON.stringify(await ada.page.evaluate(parts))}`;
    const { top, head, lines, composer, send, height } = await ada.page.evaluate(parts);
    const below = [top, head, lines, composer].map(({ top, bottom }) => [top, bottom]).flat();
    assert.deepEqual(below, below.toSorted((one, other) => one - other), `nothing overlaps ${told}`);
    assert.ok(composer.bottom <= height && send.bottom <= height, `all is on the screen ${told}`);
    assert.ok(lines.bottom - lines.top >= 40, `lines can be read ${told}`);
  }
});

for (const viewport of [NARROW, { width: 1280, height: 800 }]) {
  scenario(`join, type and send by keyboard alone at ${viewport.width} px`, async (stage) => {
    const hub = await stage.hub();
    const ada = await stage.somebody("ada", undefined, { viewport });
    await ada.open(address(hub.page, ROOM));
    const tom = stage.terminal("tom", "keys", [hub.tcp]);
    const { keyboard } = ada.page;
    await ada.tabTo("room-input", /rooms/i);
    await keyboard.type("keys");
    await keyboard.press("Enter");
    await until("the room is joined", () => ada.inRoom("keys"));
    await ada.tabTo("message-input");
    await keyboard.type("by hand");
    await keyboard.press("Shift+Enter");
    await keyboard.type("alone");
    await keyboard.press("Enter");
    await seesExactly(tom, ada.peerId, ["by hand\nalone"], { lineFeeds: false });
    await ada.tabTo("console-input", /people|console/i);
    await keyboard.type("HELP");
    await keyboard.press("Enter");
    await ada.says("words: PUT key value");
  });
}
