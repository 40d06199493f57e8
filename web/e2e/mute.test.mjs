// Muting somebody: their lines are hidden here, it is said, it lasts, and it can be undone.

import assert from "node:assert/strict";
import { address, scenario } from "./support/stage.mjs";
import { hide, hideable, show } from "./support/unseen.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "mute";

const rowOf = (person, peer) => person.page.locator(`[data-testid="peer-row"][data-peer="${peer}"]`);
const mute = (person, peer) => rowOf(person, peer).locator('[data-testid="mute"]').click();
const texts = async (person) => (await person.messages()).map((message) => message.text);

scenario("a muted peer's lines are hidden, not counted, kept hidden over a reload, and shown again when unmuted", async (stage) => {
  const hub = await stage.hub();
  const profile = await stage.profile();
  const ada = await hideable(await stage.somebody("ada", profile));
  await ada.open(address(hub.page, ROOM), "ada");
  const [tom, eve] = [stage.terminal("tom", ROOM, [hub.tcp]), stage.terminal("eve", ROOM, [hub.tcp])];
  await ada.lists("tom");
  const { peer } = await ada.lists("eve");
  eve.say("noise 1");
  tom.say("signal 1");
  await Promise.all([ada.sees("noise 1"), ada.sees("signal 1")]);

  await mute(ada, peer);
  await until("the noise is gone", async () => !(await texts(ada)).includes("noise 1"));
  await ada.says("1 line is hidden: you muted who said so.");
  await hide(ada);
  eve.say("noise 2");
  await ada.says("2 lines are hidden");
  tom.say("signal 2");
  await ada.sees("signal 2");
  assert.equal(await ada.page.title(), `(1) ${ROOM} · Tincan`, "the muted are not counted");
  await show(ada);
  assert.deepEqual(await texts(ada), ["signal 1", "signal 2"]);

  await ada.find("muted-show").click();
  await ada.sees("noise 2");
  await ada.find("muted-show").click();
  await until("they are hidden again", async () => (await texts(ada)).length === 2);

  // Another tab of the browser, which is another peer, shares the list.
  const guest = await stage.person(hub, "guest", ROOM, { profile });
  await guest.sees("signal 2");
  assert.deepEqual(await texts(guest), ["signal 1", "signal 2"]);

  await ada.reload();
  await ada.sees("signal 2");
  assert.deepEqual(await texts(ada), ["signal 1", "signal 2"]);
  await ada.find("settings-toggle").click();
  const row = ada.page.locator(`[data-testid="muted-row"][data-peer="${peer}"]`);
  assert.match(await row.innerText(), /eve/);
  await row.locator('[data-testid="mute"]').click();
  await ada.sees("noise 1");
  await ada.sees("noise 2");
  assert.equal(await ada.find("muted-note").count(), 0);
  await guest.sees("noise 2");
});

scenario("the button beside a line is reached by the keyboard: one stop of the Tab key, and arrows to the others", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const [tom, eve] = [stage.terminal("tom", ROOM, [hub.tcp]), stage.terminal("eve", ROOM, [hub.tcp])];
  await Promise.all([ada.lists("tom"), ada.lists("eve")]);
  for (const [who, text] of [[tom, "one"], [eve, "two"], [tom, "three"]]) {
    who.say(text);
    await ada.sees(text);
  }
  const { keyboard } = ada.page;
  const focused = () =>
    ada.page.evaluate(() => {
      const { activeElement } = document;
      const line = activeElement.closest('[data-testid="message"]');
      const shown = getComputedStyle(activeElement).opacity === "1";
      return { label: activeElement.ariaLabel, beside: line?.querySelector('[data-testid="message-text"]').textContent, shown };
    });
  const isBeside = async (label, beside) => {
    const { label: there, ...rest } = await focused();
    assert.deepEqual(rest, { beside, shown: true });
    assert.match(there, new RegExp(`^${label} `));
  };
  await ada.page.getByRole("region", { name: "Lines" }).focus();
  await keyboard.press("Tab");
  await isBeside("Mute tom", "three");
  await keyboard.press("ArrowUp");
  await isBeside("Mute eve", "two");
  await keyboard.press("Home");
  await isBeside("Mute tom", "one");
  await keyboard.press("Tab");
  assert.equal(await ada.page.evaluate(() => document.activeElement.dataset.testid), "message-input", "one stop");
  await keyboard.press("Shift+Tab");
  await isBeside("Mute tom", "one");
  await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await until("eve is muted", async () => !(await texts(ada)).includes("two"));
  const list = ada.page.getByRole("region", { name: "Lines" });
  await until("the focus is on the lines", () => list.evaluate((element) => document.activeElement === element));
  await keyboard.press("Tab");
  await isBeside("Mute tom", "one");
});
