// The keyboard stays where a person works when rooms are left and people come and go.

import assert from "node:assert/strict";
import { scenario } from "./support/stage.mjs";
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
