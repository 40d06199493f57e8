// One name is one room, however it was typed.

import assert from "node:assert/strict";
import { address, scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const [COMPOSED, DECOMPOSED] = ["caf\u00e9", "cafe\u0301"];

const rooms = (person) => person.find("room-tab").evaluateAll((tabs) => tabs.map((tab) => tab.dataset.room));

scenario("a room that two people and a terminal spell in different ways is one room, and so is a nick", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, `Rene\u0301e `, ` ${DECOMPOSED} `);
  assert.deepEqual(await rooms(ada), [COMPOSED]);
  await until("the address shows the room", async () => ada.page.url().endsWith("#room=caf%C3%A9"));
  await until("the nick has one spelling", async () => (await ada.find("nick-input").inputValue()) === "Ren\u00e9e");
  const bob = await stage.person(hub, "bob", "elsewhere");
  const input = bob.find("room-input");
  for (const typed of [`${DECOMPOSED}\u3000`, ` ${COMPOSED}`]) {
    await input.fill(typed);
    await input.press("Enter");
    await until("bob is in it", async () => (await rooms(bob)).includes(COMPOSED) && (await input.inputValue()) === "");
  }
  assert.deepEqual(await rooms(bob), ["elsewhere", COMPOSED]);
  const tom = stage.terminal("tom", ` ${DECOMPOSED}`, [hub.tcp]);
  await Promise.all([ada.lists("bob"), ada.lists("tom"), bob.lists("Ren\u00e9e"), bob.lists("tom")]);
  await ada.say("un serré");
  await bob.sees("un serré");
  await tom.line(new RegExp(`^\\[${COMPOSED}\\] Ren\u00e9e \\(\\w+\\): un serré$`));
});

scenario("a room that was joined letter by letter stays reachable, for whoever is in it and whom they invite", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  await ada.open(`${address(hub.page, DECOMPOSED)}&exact`, "ada");
  assert.deepEqual(await rooms(ada), [DECOMPOSED]);
  const link = await ada.find("invite-link").inputValue();
  await ada.say("before");
  await ada.reload();
  await ada.sees("before");
  await ada.page.goto("about:blank");
  await ada.open(address(hub.page, DECOMPOSED));
  await ada.sees("before");
  const bob = await stage.somebody("bob");
  await bob.open(link, "bob");
  await bob.sees("before");
  assert.deepEqual(await rooms(bob), [DECOMPOSED]);
});
