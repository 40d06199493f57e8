// Notifications: asked for by a button, one a room, text as text, and a way back to the room.

import assert from "node:assert/strict";
import { Author } from "./support/frames.mjs";
import { jsProcess } from "./support/js.mjs";
import { address, scenario } from "./support/stage.mjs";
import { hide, hideable, show } from "./support/unseen.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "bell";

/** Runs in the page: notes every notification that is made, and every question for permission. */
const record = () => {
  window.notified = [];
  window.asked = 0;
  const Real = window.Notification;
  window.Notification = class extends Real {
    constructor(title, options = {}) {
      super(title, options);
      if (options.tag) window.notified.push({ title, body: options.body, tag: options.tag, at: performance.now(), it: this });
    }
    static requestPermission() {
      window.asked += 1;
      return Real.requestPermission();
    }
  };
};

/** Runs in the page: Chrome on Android, where the interface is there and making one throws. */
const android = () => {
  window.Notification = class {
    static permission = "default";
    static requestPermission() {
      throw new Error("asked for what cannot be");
    }
    constructor() {
      throw new TypeError("Failed to construct 'Notification': Illegal constructor.");
    }
  };
};

const notified = (person) => person.page.evaluate(() => window.notified.map(({ title, body, tag }) => ({ title, body, tag })));

const state = (person) => person.find("notify-state").innerText();

/** Somebody whose browser allows notifications, which are written down. */
async function permitted(stage) {
  const hub = await stage.hub();
  const profile = await stage.profile();
  await profile.grantPermissions(["notifications"], { origin: new URL(hub.page).origin });
  const ada = await hideable(await stage.somebody("ada", profile));
  await ada.page.addInitScript(record);
  await ada.open(address(hub.page, ROOM), "ada");
  return { hub, ada };
}

async function settings(person) {
  await person.find("settings-toggle").click();
  await person.find("notify-state").waitFor();
}

scenario("notifications come once they are wanted, one a room with nick and text, and a click leads to the room", async (stage) => {
  const { hub, ada } = await permitted(stage);
  await ada.join("other");
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  const eve = stage.terminal("eve", "other", [hub.tcp]);
  await Promise.all([ada.lists("tom"), ada.lists("eve")]);
  const unread = (n) => until(`${n} are unread`, async () => (await ada.page.title()).startsWith(`(${n}) `));

  await hide(ada);
  tom.say("nobody asked for this");
  await unread(1);
  assert.deepEqual(await notified(ada), [], "none before they are wanted");
  assert.equal(await ada.page.evaluate(() => window.asked), 0, "nobody is asked on load");
  await show(ada);

  await settings(ada);
  await ada.find("notify-toggle").click();
  await until("they are on", async () => (await state(ada)).startsWith("On"));
  assert.equal(await ada.page.evaluate(() => window.asked), 1);
  tom.say("she sees the page");
  await until("it is counted in its tab", async () => /2 unread/.test(await ada.tab(ROOM).textContent()));
  assert.deepEqual(await notified(ada), [], "none while the page is seen");

  await hide(ada);
  tom.say("<b>one</b>");
  await until("it is told", async () => (await notified(ada)).length === 1);
  tom.say("two");
  eve.say("three");
  await until("all are told", async () => (await notified(ada)).length === 3);
  const told = await notified(ada);
  assert.deepEqual(told.map(({ title, body }) => `${title}: ${body}`).sort(), ["eve in other: three", "tom in bell: <b>one</b>", "tom in bell: two"]);
  assert.equal(new Set(told.map(({ tag }) => tag)).size, 2, "one a room");

  await ada.page.evaluate(() => window.notified.find(({ body }) => body === "two").it.dispatchEvent(new Event("click")));
  await until("the room is open", async () => (await ada.tab(ROOM).getAttribute("aria-selected")) === "true");
  await show(ada);

  // Wanted after a reload too, without being asked again; and not any more when turned off.
  await ada.reload();
  await hide(ada);
  tom.say("four");
  await until("it is told after a reload", async () => (await notified(ada)).some(({ body }) => body === "four"));
  assert.equal(await ada.page.evaluate(() => window.asked), 0);
  await show(ada);
  await settings(ada);
  await ada.find("notify-toggle").click();
  await until("they are off", async () => (await state(ada)).startsWith("Off"));
  await hide(ada);
  tom.say("five");
  await unread(2); // and the one in the room that was not opened since
  assert.equal((await notified(ada)).length, 1);
});

scenario("a room full of lines makes one notification in two seconds, with their number", async (stage) => {
  const { hub, ada } = await permitted(stage);
  const sender = await jsProcess(stage, "raw");
  await sender.enter(hub.ws, ROOM);
  await settings(ada);
  await ada.find("notify-toggle").click();
  await until("they are on", async () => (await state(ada)).startsWith("On"));
  await hide(ada);

  const [author, lines, parts] = [new Author(), 200, 10];
  for (let part = 0; part < parts; part++) {
    const some = Array.from({ length: lines / parts }, (_, n) => author.line(ROOM, `line ${part} ${n}`, { nick: "foe" }));
    await sender.ask("publishAll", ROOM, some.map(({ bytes }) => bytes.toString("base64")));
  }
  await until(`${lines} are unread`, async () => (await ada.page.title()).startsWith(`(${lines}) `));
  const told = async () => (await notified(ada)).map(({ title }) => Number(/^(\d+) new lines in bell$/.exec(title)?.[1] ?? 1));
  const sum = async () => (await told()).reduce((all, some) => all + some, 0);
  await until(async () => `each line is told of once; ${await sum()} of ${lines} are`, async () => (await sum()) === lines);
  const times = await ada.page.evaluate(() => window.notified.map(({ at }) => at));
  const pauses = times.slice(1).map((at, n) => at - times[n]);
  assert.ok(pauses.every((pause) => pause > 1_900), `${times.length} notifications, the shortest pause ${Math.min(...pauses)} ms`);
  const { title, body } = (await notified(ada)).at(-1);
  assert.match(title, /^\d+ new lines in bell$/);
  assert.equal(body, `foe: line ${parts - 1} ${lines / parts - 1}`);
});

scenario("where notifications cannot be, the page says why and offers none", async (stage) => {
  const hub = await stage.hub();
  const plain = await stage.person(hub, "plain", ROOM, { base: `http://hub.test:${hub.ports.http}/` });
  await settings(plain);
  assert.match(await state(plain), /only for pages opened by https/);
  assert.equal(await plain.find("notify-toggle").count(), 0);

  const phone = await stage.somebody("phone");
  await phone.page.addInitScript(android);
  await phone.open(address(hub.page, ROOM));
  await settings(phone);
  await phone.find("notify-toggle").click();
  await until("it says so", async () => /only for installed apps/.test(await state(phone)));
  assert.equal(await phone.find("notify-toggle").count(), 0);

  const none = await stage.somebody("none");
  await none.page.addInitScript(() => delete window.Notification);
  await none.open(address(hub.page, ROOM));
  await settings(none);
  assert.match(await state(none), /offers pages no notifications/);

  const denied = await stage.somebody("denied");
  await denied.page.addInitScript(() => Object.defineProperty(Notification, "permission", { value: "denied" }));
  await denied.open(address(hub.page, ROOM));
  await settings(denied);
  assert.match(await state(denied), /blocks notifications/);
  assert.equal(await denied.find("notify-toggle").count(), 0);
});

scenario("the browser is asked to keep the page's data once something was said, and only then", async (stage) => {
  const hub = await stage.hub();
  const profile = await stage.profile();
  const ada = await stage.somebody("ada", profile);
  await ada.page.addInitScript(() => {
    const real = navigator.storage.persist.bind(navigator.storage);
    navigator.storage.persist = () => {
      localStorage.setItem("asked", Number(localStorage.getItem("asked") ?? 0) + 1);
      return real();
    };
  });
  const asked = () => ada.page.evaluate(() => Number(localStorage.getItem("asked") ?? 0));
  await ada.open(address(hub.page, ROOM), "ada");
  assert.equal(await asked(), 0);
  await ada.say("worth keeping");
  await until("the browser is asked", async () => (await asked()) === 1);
  await ada.say("again");
  await ada.reload();
  await ada.say("and again");
  await ada.sees("and again");
  assert.equal(await asked(), 1);

  // Plain-http pages have nobody to ask, and chat all the same.
  const plain = await stage.person(hub, "plain", ROOM, { base: `http://hub.test:${hub.ports.http}/` });
  await plain.say("by plain http");
  await ada.sees("by plain http");
});
