// What is wrong around a page is told in plain words, and the page does what can be done.

import assert from "node:assert/strict";
import { allowBytes, clearSiteData, clockOffBy, fillStorage, refusable, storage, storedKeys } from "./support/faults.mjs";
import { seesExactly } from "./support/lines.mjs";
import { address, scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "faults";
const MINUTE_MS = 60_000;
/** Room for a key, a room and some lines. */
const STORED_BYTES = 100_000;

/** Somebody at a page that was prepared before it was opened. */
async function prepared(stage, hub, nick, prepare) {
  const person = await stage.somebody(nick);
  await prepare(person.page, hub);
  await person.open(address(hub.page, ROOM), nick);
  return person;
}

/** Both say a line, and both see both. */
async function chat(one, other, words) {
  await one.say(`${words} from ${one.name}`);
  await other.say(`${words} from ${other.name}`);
  await Promise.all([one.sees(`${words} from ${other.name}`), other.sees(`${words} from ${one.name}`)]);
}

for (const [how, prepare] of Object.entries(storage).filter(([how]) => how !== "missing")) {
  scenario(`storage ${how}: the identity ends with the tab, and the page chats`, async (stage) => {
    const hub = await stage.hub();
    const ada = await prepared(stage, hub, "ada", prepare);
    await ada.says("Your browser keeps nothing here: this identity ends with the tab.");
    const bob = await stage.person(hub, "bob", ROOM);
    await Promise.all([ada.lists("bob"), bob.lists("ada")]);
    await chat(ada, bob, "hello");
    const before = ada.peerId;
    await ada.reload();
    assert.notEqual(ada.peerId, before, "nothing was kept, as was said");
  });
}

scenario("storage full: told once, the page goes on, and what was kept before is whole", async (stage) => {
  const hub = await stage.hub();
  const ada = await prepared(stage, hub, "ada", allowBytes(STORED_BYTES));
  const kept = ["kept one", "kept two", "kept three"];
  for (const line of kept) await ada.say(line);
  await fillStorage(ada);
  const notes = ada.page.getByText("storage takes no more");
  assert.equal(await notes.count(), 1);
  await ada.page.getByRole("button", { name: "Put this note away" }).click();
  assert.ok((await storedKeys(ada, "waiting/")) >= kept.length, "they wait");
  const bob = await stage.person(hub, "bob", ROOM);
  await bob.sees("kept three");
  await chat(ada, bob, "still");
  assert.ok(!(await notes.isVisible()), "read once is enough");
  await until("no line that was sent is stored as waiting", async () => (await storedKeys(ada, "waiting/")) === 0);

  const before = ada.peerId;
  await ada.page.reload();
  await ada.online();
  assert.equal(ada.peerId, before, "the key is whole");
  assert.equal(await ada.find("nick-input").inputValue(), "ada");
  const mine = async () => (await ada.textsOf(before)).filter((text) => text.startsWith("kept"));
  await until("the kept lines are there, each once", async () => (await mine()).join() === kept.join());
  await chat(ada, bob, "again");
  const theirs = await bob.textsOf(before);
  assert.equal(new Set(theirs).size, theirs.length, "nothing that was sent is said again");
});

scenario("storage that refuses even removals: what was sent is not said again after a reload", async (stage) => {
  const hub = await stage.hub();
  const ada = await prepared(stage, hub, "ada", refusable);
  const kept = ["kept one", "kept two"];
  for (const line of kept) await ada.say(line);
  await until("they are stored", async () => (await storedKeys(ada, "waiting/")) === kept.length);
  await ada.page.evaluate(() => (window.refusesStorage = true));
  const bob = await stage.person(hub, "bob", ROOM);
  await bob.sees("kept two");
  await ada.says("storage takes no more");
  assert.equal(await storedKeys(ada, "waiting/"), kept.length, "they wait for the next page");
  await ada.reload();
  await chat(ada, bob, "again");
  const theirs = await bob.textsOf(ada.peerId);
  assert.deepEqual(theirs.sort(), ["again from ada", ...kept]);
  await until("they wait no longer", async () => (await ada.messages()).every((one) => one.state !== "waiting"));
});

for (const { where, base } of [
  { where: "on loopback", base: (hub) => hub.page },
  { where: "by another name over plain http", base: (hub) => `http://hub.test:${hub.ports.http}/` },
]) {
  scenario(`site data cleared under an open page ${where}: it says so, and is the same peer with the same lines after a reload`, async (stage) => {
    const hub = await stage.hub();
    const ada = await stage.person(hub, "ada", ROOM, { base: base(hub) });
    const tom = stage.terminal("tom", ROOM, [hub.tcp]);
    const { peer } = await ada.lists("tom");
    await ada.say("said before");
    await until("tom hears it", () => tom.textsOf(ada.peerId).includes("said before"));
    await ada.join("lonely");
    await ada.say("waits for company");
    await until("it is stored", async () => (await storedKeys(ada, "waiting/")) === 1);
    const { peerId } = ada;

    // Nothing is written after this: only the browser tells.
    await clearSiteData(ada);
    await ada.says("Your browser cleared this site's data while this page was open.");
    await ada.page.getByRole("button", { name: "Put this note away" }).click();
    await ada.reload();
    assert.equal(ada.peerId, peerId, "the same key");
    assert.equal(await ada.find("nick-input").inputValue(), "ada");
    await ada.openRoom("lonely");
    assert.equal((await ada.sees("waits for company")).state, "waiting");
    await ada.openRoom(ROOM);
    await ada.sees("said before");

    // Together with a line that is just being written.
    await ada.page.locator(`[data-testid="peer-row"][data-peer="${peer}"] [data-testid="mute"]`).click();
    const cleared = clearSiteData(ada);
    await ada.say("said meanwhile");
    await cleared;
    await ada.says("Your browser cleared this site's data while this page was open.");
    await until("tom hears it", () => tom.textsOf(peerId).includes("said meanwhile"));
    await until("lines are stored again", async () => (await storedKeys(ada, "frame/")) >= 2);
    await ada.reload();
    assert.equal(ada.peerId, peerId);
    await Promise.all([ada.sees("said before"), ada.sees("said meanwhile")]);
    tom.say("of somebody who is muted");
    await ada.says("1 line is hidden");
  });
}

scenario("a clock that is 3 h behind is told by the hub's", async (stage) => {
  const hub = await stage.hub();
  const ada = await prepared(stage, hub, "ada", clockOffBy(-180 * MINUTE_MS));
  await ada.says(/Your clock is (3 h 0|2 h 59) min behind the hub's/);
  assert.equal(await ada.page.getByText("Set the clock.").count(), 1, "said once");
});

scenario("a clock that is 10 min off chats both ways with a page and a terminal, and is left in peace", async (stage) => {
  const hub = await stage.hub();
  const bob = await stage.person(hub, "bob", ROOM);
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  const tomId = (await bob.lists("tom")).peer;
  for (const minutes of [10, -10]) {
    const nick = minutes > 0 ? "early" : "late";
    const ada = await prepared(stage, hub, nick, clockOffBy(minutes * MINUTE_MS));
    await Promise.all([ada.lists("bob"), ada.lists("tom"), bob.lists(nick)]);
    await chat(ada, bob, `${minutes} min`);
    tom.say(`tom to ${nick}`);
    await ada.sees(`tom to ${nick}`);
    await seesExactly(tom, ada.peerId, [`${minutes} min from ${nick}`], { lineFeeds: false });
    assert.ok((await ada.textsOf(tomId)).includes(`tom to ${nick}`));
    assert.ok(!/clock/i.test(await ada.page.locator(".notices").innerText()));
  }
});

scenario("a hub that has refused a room and then dies is gone, and turns nobody away", async (stage) => {
  const hub = await stage.hub({ config: "[limits]\ncarried_rooms_per_peer = 1\n" });
  const ada = await stage.somebody("ada");
  await ada.page.addInitScript(() => {
    globalThis.noticed = new Set();
    new MutationObserver(() => {
      for (const note of document.querySelectorAll('[data-testid="notice"]')) globalThis.noticed.add(note.textContent);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  await ada.open(address(hub.page, ROOM), "ada");
  await ada.join("second");
  await ada.says("refuses: this hub carries 1 rooms for one peer");
  ada.mayLoseHub = true;
  await hub.kill("SIGKILL");
  await ada.status("offline");
  await ada.says(/Trying again/);
  const noticed = await ada.page.evaluate(() => [...globalThis.noticed]);
  assert.ok(!noticed.some((note) => note.includes("turns this page away")), noticed.join(" | "));
});
