// A hub that is hard to reach, and one that will not have somebody: the page says which, and why.

import assert from "node:assert/strict";
import { address, scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

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

scenario("a hub whose page answers and whose peer port does not: the page says which, and joins when it can", async (stage) => {
  const hub = await stage.hub({ direct: false });
  const road = await stage.road(hub);
  await road.peers.cut();
  const ada = await road.somebody("ada");
  ada.mayLoseHub = true;
  await ada.page.goto(address(road.base, ROOM));
  const silent = new RegExp(`This page's hub answers, but its peer port ${hub.ports.ws} does not\\. Trying again in \\d+ s\\.`);
  await ada.says(silent);
  await ada.status("offline");
  await road.peers.mend();
  await ada.status("online");
  assert.equal(await ada.find("notice").count(), 0, "the notice goes with its reason");

  // Lost later, it is found out too; with the page's port gone as well it is just offline.
  await road.peers.cut();
  await ada.says(silent);
  await road.page.cut();
  await ada.find("retry").click();
  await ada.says(/Offline\. Trying again in \d+ s\./);
});

scenario("a hub that refuses a second room says why: as a note, and beside the network when that is put away", async (stage) => {
  const hub = await stage.hub({ config: "[limits]\ncarried_rooms_per_peer = 1\n" });
  const ada = await stage.person(hub, "ada", ROOM);
  await ada.join("one too many");
  const why = /The hub …\w{6} refuses: this hub carries 1 rooms for one peer; leave some\./;
  await ada.says(why);
  await ada.page.getByRole("button", { name: "Put this note away" }).click();
  await until("the note is gone", async () => !why.test(await ada.page.locator(".notices").innerText()));
  assert.match(await ada.find("refusal").innerText(), why);
});

scenario("a hub that denies somebody: the page says that it is turned away, and by whom", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  ada.mayLoseHub = true;
  await hub.kill("SIGKILL");
  await hub.configure(`deny = ["${ada.peerId}"]\n`);
  await hub.start();
  await ada.says(/The hub turns this page away.*Trying again/s);
  await hub.kill("SIGKILL");
  await hub.configure("");
  await hub.start();
  await ada.status("online");
  assert.equal(await ada.find("retry").count(), 0);
});
