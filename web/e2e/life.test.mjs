// A page's life: reloaded while it writes, hidden, frozen, loaded ahead, and out of date. Nothing that was said is lost.

import assert from "node:assert/strict";
import fs from "node:fs";
import { FIREFOX, firefoxPage } from "./transports/browsers.mjs";
import { LinkedSite, Unwatched, visitor, visitors } from "./support/ahead.mjs";
import { mayBeSlow, refusable, slowable, upgrade } from "./support/faults.mjs";
import { seesExactly } from "./support/lines.mjs";
import { address, scenario } from "./support/stage.mjs";
import { cover, freeze, thaw } from "./support/unseen.mjs";
import { passed, until } from "./support/wait.mjs";

const ROOM = "life";
const ROUNDS = 5;
/** A tab that needs the database in another version has given up waiting after this. */
const VERSION_WAIT_MS = 3_000;
/** How long somebody reads before the click: a page that waits for its key has given up by then. */
const READING_MS = 12_000;
/** A connection that is dead after a pause is replaced within this; found by pings, it takes 20 to 35 s. */
const REPLACED_MS = 12_000;

/** Runs in the page: says lines and loads the page anew, all in one task, while the disk is slow. */
function sayAndReload(texts) {
  window.slowDisk = true;
  const input = document.querySelector('[data-testid="message-input"]');
  for (const text of texts) {
    input.value = text;
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  }
  location.reload();
}

const linesOf = (round) => ["first", "second", "third"].map((which) => `${which} of ${round}`);

/** Says the lines of so many rounds, each just before a reload; answers with all of them. */
async function sayWhileReloading(person) {
  const said = [];
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all([person.page.waitForEvent("load"), person.page.evaluate(sayAndReload, linesOf(round))]);
    await person.online();
    said.push(...linesOf(round));
  }
  return said;
}

for (const { name, base } of [
  { name: "on loopback", base: (hub) => hub.page },
  { name: "by another name over plain http", base: (hub) => `http://hub.test:${hub.ports.http}/` },
]) {
  scenario(`${name}: lines said in the task that reloads the page wait on the next one`, async (stage) => {
    const hub = await stage.hub();
    const ada = await stage.somebody("ada");
    await slowable(ada.page);
    await ada.open(address(base(hub), ROOM), "ada");
    const said = await sayWhileReloading(ada);
    await seesExactly(ada, ada.peerId, said);
    assert.ok((await ada.messages()).every((one) => one.state === "waiting"));
    const tom = stage.terminal("tom", ROOM, [hub.tcp]);
    await seesExactly(tom, ada.peerId, said);
  });
}

scenario("with somebody there they reach them, each once", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  await slowable(ada.page);
  await ada.open(address(hub.page, ROOM), "ada");
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await ada.lists("tom");
  const said = await sayWhileReloading(ada);
  await seesExactly(ada, ada.peerId, said);
  await seesExactly(tom, ada.peerId, said);
});

scenario("in Firefox lines said in the task that reloads the page wait on the next one", async (stage) => {
  const hub = await stage.hub();
  const browser = await firefoxPage({});
  try {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(mayBeSlow);
    await page.goto(address(hub.page, ROOM));
    const online = () => page.evaluate(() => document.querySelector('[data-testid="status"]')?.textContent === "online");
    await until("the page is online", online);
    await Promise.all([page.waitForNavigation(), page.evaluate(sayAndReload, linesOf(0))]);
    await until("the next page is online", online);
    const texts = () => page.$$eval('[data-testid="message-text"]', (lines) => lines.map((line) => line.textContent));
    await until(async () => `its lines are there; it has ${await texts()}`, async () => (await texts()).join() === linesOf(0).join());
  } finally {
    await browser.close();
  }
}, { skip: !fs.existsSync(FIREFOX) && `${FIREFOX} is not there; FIREFOX names another` });

const unstored = (person) => person.page.locator("[data-testid=message][data-unstored]").count();

scenario("a line that the browser has not stored is drawn as such, and is there after a reload", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  await refusable(ada.page);
  await ada.open(address(hub.page, ROOM), "ada");
  await ada.say("stored");
  await ada.sees("stored");
  await until("it is stored", async () => (await unstored(ada)) === 0);

  await ada.page.evaluate(() => (window.refusesStorage = true));
  await ada.say("not stored");
  await ada.sees("not stored");
  assert.equal(await unstored(ada), 1);
  await ada.says("not stored yet");
  await ada.reload();
  await seesExactly(ada, ada.peerId, ["stored", "not stored"]);
  await ada.reload();
  await seesExactly(ada, ada.peerId, ["stored", "not stored"]);

  await ada.page.evaluate(() => (window.refusesStorage = true));
  await ada.say("stored late");
  await ada.sees("stored late");
  assert.equal(await unstored(ada), 1);
  await ada.page.evaluate(() => (window.refusesStorage = false));
  await until("it is stored at last", async () => (await unstored(ada)) === 0);
});

scenario("what is unwritten when a page is hidden, or frozen, outlives the end of its process", async (stage) => {
  const hub = await stage.hub();
  const profile = await stage.tabs();
  const said = [];
  for (const [how, end] of Object.entries({ hidden: cover, frozen: freeze })) {
    const ada = await stage.somebody("ada", profile);
    ada.mayLoseHub = true; // the browser closes a frozen page's connections
    await refusable(ada.page);
    await ada.open(address(hub.page, ROOM));
    await ada.page.evaluate(() => (window.refusesStorage = true));
    said.push(`said, then ${how}`);
    await ada.say(said.at(-1));
    await ada.sees(said.at(-1));
    await end(ada);
    await ada.crash();
    const next = await stage.person(hub, undefined, ROOM, { profile });
    assert.equal(next.peerId, ada.peerId);
    await seesExactly(next, next.peerId, said);
    await next.page.close();
  }
});

/** Runs in the page before anything else: after `sleep` no timer fires or is set, as in a tab that the browser slows down. */
const sleepy = () => {
  const { setTimeout, clearTimeout } = window;
  const running = new Set();
  let sleeps = false;
  window.setTimeout = (run, ms, ...more) => {
    if (sleeps && ms > 0) return 0;
    const timer = setTimeout(() => (running.delete(timer), run(...more)), ms);
    running.add(timer);
    return timer;
  };
  window.clearTimeout = (timer) => (running.delete(timer), clearTimeout(timer));
  window.sleep = () => ((sleeps = true), running.forEach(clearTimeout));
  window.wake = () => (sleeps = false);
};

for (const [how, wakeUp] of Object.entries({
  "the page is shown again": ({ page }) => page.bringToFront(),
  "the browser lets the page go on": async (person) => {
    await freeze(person);
    await thaw(person);
  },
})) {
  scenario(`${how}: a lost hub is dialled at once`, async (stage) => {
    const hub = await stage.hub();
    const ada = await stage.somebody("ada", await stage.tabs());
    await ada.page.addInitScript(sleepy);
    await ada.open(address(hub.page, ROOM), "ada");
    await cover(ada);
    ada.mayLoseHub = true;
    // Asleep first: a dial that is under way when the hub comes back would reach it.
    await ada.page.evaluate(() => window.sleep());
    await hub.kill("SIGKILL");
    await ada.status("offline");
    await hub.start();
    assert.ok(!(await ada.text("status")).includes("online"), "by itself it does nothing");
    await ada.page.evaluate(() => window.wake());
    await wakeUp(ada);
    await ada.online();
  });
}

scenario("a connection that died while the page was hidden is replaced soon after it is shown", async (stage) => {
  const hub = await stage.hub();
  const wire = await stage.wire(hub);
  const ada = await stage.person(hub, "ada", ROOM, { query: wire.query, profile: await stage.tabs() });
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await ada.lists("tom");
  await cover(ada);
  const before = wire.taken;
  wire.stall();
  await ada.page.bringToFront();
  await until("there is another connection", () => wire.taken > before, REPLACED_MS);
  await ada.say("after the pause");
  await until("it has arrived", async () => (await tom.textsOf(ada.peerId)).includes("after the pause"));
});

scenario("another tab needs the database in a new version: this one makes way, keeps what was said, and says so", async (stage) => {
  const hub = await stage.hub();
  const profile = await stage.profile();
  const ada = await stage.person(hub, "ada", ROOM, { profile });
  await ada.say("said before");
  await ada.sees("said before");
  await ada.find("message-input").fill("half a sentence");
  const newer = await profile.newPage();
  await newer.goto(new URL("healthz", hub.page).href);
  const took = await newer.evaluate(upgrade, 2);
  assert.ok(took < VERSION_WAIT_MS, `it waited for ${took} ms`);
  await ada.says("Another tab has changed what Tincan keeps in this browser, as after an update");
  await ada.status("offline");
  assert.deepEqual(await ada.textsOf(ada.peerId), ["said before"], "it can still be read");
  const notices = await ada.find("notice").allTextContents();
  assert.equal(notices.length, 1, notices.join(" | "));
  const kept = await newer.evaluate(() => new Promise((resolve) => {
    const open = indexedDB.open("tincan");
    open.onsuccess = () => {
      const all = open.result.transaction("entries").objectStore("entries").getAllKeys();
      all.onsuccess = () => resolve(all.result.concat(Object.keys(localStorage)));
      open.result.close();
    };
  }));
  assert.equal(kept.filter((key) => key.startsWith("0/waiting/")).length, 1, kept.join());
  assert.ok(!kept.some((key) => key.startsWith("tincan-unwritten")), "there was time to write all of it");

  // As the newer page would leave it: the version that this page knows, and the same content.
  await newer.evaluate(() => new Promise((resolve) => {
    const open = indexedDB.open("tincan");
    open.onsuccess = async () => {
      const read = (store) => new Promise((done) => {
        const source = open.result.transaction(store).objectStore(store);
        const keys = source.getAllKeys();
        const values = source.getAll();
        values.onsuccess = () => done(keys.result.map((key, i) => [key, values.result[i]]));
      });
      const content = { keys: await read("keys"), entries: await read("entries") };
      open.result.close();
      indexedDB.deleteDatabase("tincan").onsuccess = () => {
        const anew = indexedDB.open("tincan", 1);
        anew.onupgradeneeded = () => {
          for (const [store, rows] of Object.entries(content)) {
            const made = anew.result.createObjectStore(store);
            for (const [key, value] of rows) made.put(value, key);
          }
        };
        anew.onsuccess = () => resolve(anew.result.close());
      };
    };
  }));
  await Promise.all([ada.page.waitForEvent("load"), ada.find("reload").click()]);
  const before = ada.peerId;
  await ada.online();
  assert.equal(ada.peerId, before, "the key is the same");
  await seesExactly(ada, ada.peerId, ["said before"]);
  assert.equal(await ada.find("message-input").inputValue(), "half a sentence");
});

scenario("a page that was loaded ahead of a click is who its profile is, and nobody before it is shown", async (stage) => {
  const hub = await stage.hub();
  const site = await LinkedSite.to(hub);
  stage.attend({ name: "site", tail: () => JSON.stringify(site.asked) }, () => site.end());
  const profile = await stage.directory();
  const browse = (path) => {
    const browser = new Unwatched(profile, `${site.url}${path}`);
    return stage.attend(browser, () => browser.kill());
  };
  const first = browse("/");
  const ada = await visitor(hub, 0);
  await first.kill("SIGTERM");
  assert.equal(site.loads(false), 1);

  browse("/link");
  await until("the page is loaded ahead", () => site.loads(true) === 1);
  await passed(READING_MS);
  assert.deepEqual(visitors(hub), [ada], "it connects to nobody before it is shown");
  site.click();
  assert.equal(await visitor(hub, 1), ada);
  assert.equal(site.loads(false), 1, "what was loaded ahead is what is shown");
});
