// A hub that is hard to reach: the page says what it waits for.

import assert from "node:assert/strict";
import { address, scenario } from "./support/stage.mjs";

const ROOM = "reach";
const LATE_MS = 3_000;
/** Page, module, the hub's name and the handshakes come one after the other, each late. */
const ONLINE_WITHIN_MS = 90_000;

/** What the page says in its order, each once. */
async function sayings(person) {
  const said = [];
  await person.page.exposeFunction("heard", (words) => said.at(-1) !== words && said.push(words));
  await person.page.addInitScript(() => {
    const look = () => {
      const place = document.querySelector('[data-testid="notice"] > span, [data-testid="starting"], #start p');
      if (place?.textContent) window.heard(place.textContent);
    };
    document.addEventListener("DOMContentLoaded", () => {
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
      look();
    });
  });
  return said;
}

scenario("a hub whose every answer is 3 s late: the page says what it waits for, and is online in the end", async (stage) => {
  const hub = await stage.hub();
  const road = await stage.road(hub, { lateMs: LATE_MS });
  const ada = await road.somebody("ada");
  const said = await sayings(ada);
  await ada.page.goto(address(road.base, ROOM));
  await ada.status("online", { within: ONLINE_WITHIN_MS });
  assert.deepEqual(said, [
    "Making your key…",
    "Looking for the hub…",
    `This page's hub answers. Connecting to its peer port ${hub.ports.ws}…`,
  ]);
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await ada.lists("tom");
  await ada.say("slowly but surely");
  await tom.line(/slowly but surely/);
});
