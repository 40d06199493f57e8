// The keyboard stays where a person works when rooms are left and people come and go.

import assert from "node:assert/strict";
import { address, scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const focused = (person) =>
  person.page.evaluate(() => {
    const { dataset, tagName, ariaExpanded } = document.activeElement;
    return dataset.room ?? dataset.testid ?? `${tagName}${ariaExpanded ? " that unfolds" : ""}`;
  });
const focusIs = (person, wanted) =>
  until(async () => `the focus is on ${wanted}; it is on ${await focused(person)}`, async () => (await focused(person)) === wanted);

scenario("after Leave the focus is on the tab of the next room, and after the last on the way into another", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", "one");
  await ada.join("two");
  await ada.tabTo("room-leave");
  await ada.page.keyboard.press("Enter");
  await focusIs(ada, "one");
  // Pressed once more, the key leaves no other room.
  await ada.page.keyboard.press("Enter");
  assert.ok(await ada.inRoom("one"));
  await ada.tabTo("room-leave");
  await ada.page.keyboard.press("Enter");
  await focusIs(ada, "room-input");
});

scenario("on a narrow screen, where rooms are folded away, it is on the room's name, then on what unfolds them", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", "one");
  await ada.join("two");
  await ada.page.setViewportSize({ width: 360, height: 740 });
  await ada.find("room-leave").focus();
  await ada.page.keyboard.press("Enter");
  await focusIs(ada, "H1");
  await ada.find("room-leave").focus();
  await ada.page.keyboard.press("Enter");
  await focusIs(ada, "BUTTON that unfolds");
});

scenario("who stands on a button of a room stays there while people come and go", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", "one");
  await ada.find("room-leave").focus();
  const bob = await stage.person(hub, "bob", "one");
  await ada.lists("bob");
  assert.equal(await focused(ada), "room-leave");
  await bob.page.close();
  await ada.unlists("bob");
  assert.equal(await focused(ada), "room-leave");
});

scenario("a button that vanishes when it is pressed hands the focus on to what is beside it", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada", undefined, { viewport: { width: 1100, height: 500 } });
  await ada.open(address(hub.page, "one"), "ada");
  const tom = stage.terminal("tom", "one", [hub.tcp]);
  await ada.lists("tom");
  const lines = ada.page.getByRole("region", { name: "Lines" });
  const isOnLines = () => lines.evaluate((list) => document.activeElement === list);
  for (let i = 0; i < 40; i++) tom.say(`line ${i}`);
  await ada.sees("line 39");

  await lines.focus();
  await ada.page.keyboard.press("Home");
  await until("the list is at its top", () => lines.evaluate((list) => list.scrollTop === 0));
  tom.say("one more");
  await ada.find("unseen").focus();
  await ada.page.keyboard.press("Enter");
  await until("the button is gone", async () => (await ada.find("unseen").count()) === 0);
  await until(async () => `the focus is on the lines; it is on ${await focused(ada)}`, isOnLines);

  // A note that is put away, and a person who is unmuted.
  const { peer } = await ada.lists("tom");
  await ada.page.locator(`[data-testid="peer-row"][data-peer="${peer}"] [data-testid="mute"]`).click();
  await ada.find("settings-toggle").click();
  await ada.page.locator('[data-testid="muted-row"] [data-testid="mute"]').focus();
  await ada.page.keyboard.press("Enter");
  await until("nobody is muted", async () => (await ada.find("muted-row").count()) === 0);
  assert.notEqual(await focused(ada), "BODY");
  // Who clicks beside everything has no focus to lose.
  await ada.page.evaluate(() => document.activeElement.blur());
  tom.say("the last one");
  await ada.sees("the last one");
  assert.equal(await focused(ada), "BODY");
});
