// Something around the page is wrong: its storage, its clock, its hub.

import assert from "node:assert/strict";
import { Door } from "../door.mjs";
import { allowBytes, clockOffBy, fillStorage, storage, upgrade } from "../faults.mjs";
import { seesExactly } from "../lines.mjs";
import { address } from "../stage.mjs";
import { until } from "../wait.mjs";

/** A hub's `--config` that lets nobody be in two rooms. */
const ONE_ROOM_EACH = "[limits]\ncarried_rooms_per_peer = 1\n";
/** One that has a place for one peer. */
const ONE_PEER = "[limits]\npeers = 1\n";
/** How long a page does not dial a hub that says that it is full. */
const STAYS_AWAY_MS = 30_000;
const HOUR_MS = 3_600_000;
/** What a browser with little room stores: a key, a room and a few lines. */
const STORED_BYTES = 100_000;
const OFFLINE = /Offline\. Trying again in (\d+) s\./;
/** A wait between two tries that a button can be seen to cut short. */
const FAR_SECONDS = 3;
/** Until waits have grown so far: some tries, of 5 s each where nobody answers. */
const MANY_TRIES_MS = 80_000;

/** Runs in the page: every word that the top line shows, in order. */
const recordStatus = () => {
  window.statuses = [];
  const look = () => {
    const word = document.querySelector('[data-testid="status"]')?.textContent;
    if (word && word !== window.statuses.at(-1)) window.statuses.push(word);
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
};

/** How many peers a hub has refused. */
const refused = async (hub) => {
  const metrics = await (await fetch(new URL("metrics", hub.page))).text();
  return Number(/^tincan_peers_refused (\d+)$/m.exec(metrics)[1]);
};

export const TROUBLE = [
  {
    name: "no-storage",
    says: "Your browser keeps nothing here: this identity ends with the tab.",
    reach: (cast) => cast.alone("beach", { prepare: storage.missing }),
    async then(person) {
      const before = person.peerId;
      await person.reload();
      assert.notEqual(person.peerId, before, "nothing was kept, as was said");
    },
  },
  {
    name: "outdated",
    says: "Another tab has changed what Tincan keeps in this browser",
    async reach(cast) {
      const person = await cast.alone("attic");
      await person.say("This stays.");
      const newer = await person.page.context().newPage();
      await newer.goto(new URL("healthz", person.page.url()).href);
      await newer.evaluate(upgrade, 2);
      await newer.close();
      return person;
    },
  },
  {
    name: "storage-full",
    says: "Your browser's storage takes no more",
    async reach(cast) {
      const person = await cast.alone("shelf", { prepare: allowBytes(STORED_BYTES) });
      await fillStorage(person);
      await person.join("pantry");
      await person.say("One more jar?");
      return person;
    },
  },
  {
    name: "clock-wrong",
    says: /Your clock is [23] h \d+ min ahead of the hub's/,
    reach: (cast) => cast.alone("tower", { prepare: clockOffBy(3 * HOUR_MS) }),
  },
  {
    name: "refused",
    says: /The hub …\w+ refuses: this hub carries 1 rooms for one peer/,
    async reach(cast) {
      const person = await cast.alone("hall", { hub: await cast.stage.hub({ config: ONE_ROOM_EACH }) });
      await person.join("stairs");
      return person;
    },
    async then(person) {
      await person.page.getByRole("button", { name: "Put this note away" }).click();
      const notes = person.page.locator(".notices");
      await until("the note is gone", async () => !this.says.test(await notes.innerText()));
      const narrow = person.page.getByRole("button", { name: /People/ });
      if (await narrow.isVisible()) await narrow.click();
      assert.match(await person.find("refusal").innerText(), this.says, "it stays beside the network");
    },
  },
  {
    name: "turned-away",
    says: /The hub turns this page away.* Trying again/,
    async reach(cast) {
      const { hub, person } = await cast.doomed("gate");
      await hub.kill();
      await hub.configure(`deny = ["${person.peerId}"]\n`);
      await hub.start();
      return Object.assign(person, { hub });
    },
    async then(person) {
      await person.hub.kill("SIGKILL");
      await person.hub.configure("");
      await person.hub.start();
      await person.find("retry").click();
      await person.status("online");
      assert.equal(await person.find("retry").count(), 0);
    },
  },
  {
    name: "full",
    says: /The hub turns this page away: this hub is full; try another one, or again later\. Trying again/,
    async reach(cast) {
      const hub = await cast.stage.hub({ config: ONE_PEER });
      const terminal = cast.stage.terminal("sam", "booth", [hub.tcp]);
      await terminal.line(/^online/, { stream: "err" });
      const since = performance.now();
      const person = await cast.alone("booth", { hub, online: false, prepare: (page) => page.addInitScript(recordStatus) });
      person.mayLoseHub = true;
      return Object.assign(person, { hub, terminal, since });
    },
    async then(person) {
      const { hub, terminal } = person;
      const text = () => person.page.locator("body").innerText();
      const seconds = async () => Number(/Trying again in (\d+) s/.exec(await text())?.[1] ?? Infinity);
      await until("the next try is near", async () => (await seconds()) <= FAR_SECONDS, 2 * STAYS_AWAY_MS);
      const said = (await text()).match(/this hub is full/g);
      assert.equal(said.length, 1, "said once");
      const tries = await refused(hub);
      const most = 1 + (performance.now() - person.since) / STAYS_AWAY_MS;
      assert.ok(tries >= 1 && tries <= most, `${tries} tries, at most ${most}`);
      const words = await person.page.evaluate(() => window.statuses);
      assert.ok(words.length <= 2 * tries && !words.includes("online"), words.join(", "));
      await terminal.kill();
      await person.find("retry").click();
      await person.status("online");
      assert.equal(await person.find("notice").count(), 0, "the notice goes with its reason");
    },
  },
  {
    name: "port-silent",
    says: /This page's hub answers, but its peer port \d+ does not\. Trying again/,
    async reach(cast) {
      const hub = await cast.stage.hub({ direct: false });
      const road = await cast.stage.road(hub);
      await road.peers.cut();
      const person = await road.somebody("mira");
      person.mayLoseHub = true;
      await person.page.goto(address(road.base, "harbour"));
      return Object.assign(person, { road });
    },
    async then(person) {
      const { road } = person;
      await person.status("offline");
      await road.peers.mend();
      await person.status("online");
      assert.equal(await person.find("notice").count(), 0, "the notice goes with its reason");
      // Lost later, it is found out too; with the page's port gone as well it is just offline.
      await road.peers.cut();
      await person.says(this.says);
      await road.page.cut();
      await person.find("retry").click();
      await person.says(OFFLINE);
    },
  },
  {
    name: "hub-gone",
    says: "The hub is gone. You still reach 1 person directly.",
    async reach(cast) {
      const { hub, person } = await cast.doomed("island");
      const { terminal, listen } = await cast.dialable("sam", "island", hub);
      await person.lists("sam");
      await person.dial(listen);
      await person.listsAs("sam", { path: "direct", transport: "ws" });
      terminal.say("Just you and me, then.");
      await person.sees("Just you and me, then.");
      await hub.kill("SIGKILL");
      return Object.assign(person, { terminal });
    },
    async then(person) {
      await person.status("online");
      await person.say("over the string alone");
      await seesExactly(person.terminal, person.peerId, ["over the string alone"], { lineFeeds: false });
    },
  },
  {
    name: "offline",
    says: OFFLINE,
    async reach(cast) {
      const { hub, person } = await cast.doomed("tunnel");
      const sam = cast.stage.terminal("sam", "tunnel", [hub.tcp]);
      await person.lists("sam");
      sam.say("Long tunnel ahead.");
      await person.sees("Long tunnel ahead.");
      await person.say("See you on the other side.");
      await sam.kill();
      await hub.kill("SIGKILL");
      await person.status("offline");
      await person.say("Anybody?");
      return Object.assign(person, { hub });
    },
    async then(person) {
      const { hub } = person;
      const door = await Door.on(hub.ports.ws);
      try {
        // Right after a try, when the next one is seconds away.
        const seconds = async () => Number(OFFLINE.exec(await person.page.locator("body").innerText())?.[1] ?? 0);
        await until("the next try is far", async () => (await seconds()) >= FAR_SECONDS, MANY_TRIES_MS);
        const before = door.knocks;
        await person.find("retry").click();
        await until("the page tries at once", () => door.knocks > before, (FAR_SECONDS - 1) * 1_000);
      } finally {
        await door.close();
      }
      await hub.start();
      await person.status("online");
      await person.sees("Long tunnel ahead.");
      await person.sees("Anybody?");
      assert.ok(!OFFLINE.test(await person.page.locator("body").innerText()), "the notice goes with its reason");
    },
  },
];
