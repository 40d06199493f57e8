// Where the list of lines stands: kept for each room, at the first new line, never under a text as tall as the screen.

import assert from "node:assert/strict";
import { address, scenario } from "./support/stage.mjs";
import { hide, hideable, show } from "./support/unseen.mjs";
import { Author } from "./support/frames.mjs";
import { jsProcess } from "./support/js.mjs";
import { passed, until } from "./support/wait.mjs";

const ROOM = "place";
const MINUTE_MS = 60_000;
/** How long after it was opened a page takes what others said before for missed. */
const CATCH_UP_MS = 10_000;

async function reader(stage, lines) {
  const hub = await stage.hub();
  const ada = await hideable(await stage.somebody("ada", undefined, { viewport: { width: 1100, height: 600 } }));
  await ada.open(address(hub.page, ROOM), "ada");
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await ada.lists("tom");
  for (let i = 1; i <= lines; i++) tom.say(`line ${i}`);
  if (lines) await ada.sees(`line ${lines}`);
  return { hub, ada, tom };
}

const region = (person) => person.page.getByRole("region", { name: "Lines" });
const distance = (person) => region(person).evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);
const atEnd = (person) => until(async () => `the list is at its end; ${await distance(person)} px are left`, async () => (await distance(person)) < 2);

/** The pixels from the list's upper edge to this line. */
const below = (person, text) =>
  region(person).evaluate((list, text) => {
    const texts = [...list.querySelectorAll('[data-testid="message-text"]')];
    const line = texts.find((one) => one.textContent === text)?.closest("li");
    return line && Math.round(line.getBoundingClientRect().top - list.getBoundingClientRect().top);
  }, text);

async function nearTop(person, text) {
  await until(
    async () => `${text} is near the top; it is at ${await below(person, text)}`,
    async () => {
      const at = await below(person, text);
      return at > 0 && at < 120;
    },
  );
}

scenario("each room keeps its place, and a room left at its end opens at its end", async (stage) => {
  const { ada, tom } = await reader(stage, 60);
  await atEnd(ada);
  await ada.join("other");
  await ada.openRoom(ROOM);
  await atEnd(ada);
  await region(ada).evaluate((list) => {
    list.dispatchEvent(new WheelEvent("wheel"));
    list.scrollTo(0, 400);
  });
  const placed = await until("line 20 is in its place", () => below(ada, "line 20"));
  await until("the place was seen", () => ada.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))));
  await ada.openRoom("other");
  tom.say("line 61");
  await until("a line is unread", async () => /1 unread/.test(await ada.tab(ROOM).textContent()));
  await ada.openRoom(ROOM);
  await until(
    async () => `line 20 is where it was, at ${placed}; it is at ${await below(ada, "line 20")}`,
    async () => Math.abs((await below(ada, "line 20")) - placed) <= 1,
  );
  await ada.says("1 new");
  await ada.find("unseen").click();
  await atEnd(ada);
});

scenario("back at a page with more new lines than fit, the first of them is at the top", async (stage) => {
  const { ada, tom } = await reader(stage, 40);
  await atEnd(ada);
  await hide(ada);
  for (let i = 41; i <= 90; i++) tom.say(`line ${i}`);
  await ada.sees("line 90");
  await show(ada);
  await nearTop(ada, "line 41");
  await ada.says("50 new");

  // What fits needs no scrolling back.
  await ada.find("unseen").click();
  await atEnd(ada);
  await hide(ada);
  tom.say("line 91");
  await ada.sees("line 91");
  await show(ada);
  await atEnd(ada);
});

scenario("a room that was left keeps no place: who comes back is at the first line that they missed", async (stage) => {
  const { hub, ada, tom } = await reader(stage, 60);
  // Somebody stays there: lines to an empty room would wait.
  const eve = stage.terminal("eve", ROOM, [hub.tcp]);
  await ada.lists("eve");
  await atEnd(ada);
  await region(ada).evaluate((list) => {
    list.dispatchEvent(new WheelEvent("wheel"));
    list.scrollTo(0, 400);
  });
  await until("the place was seen", () => ada.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))));
  await ada.leave(ROOM);
  for (let i = 61; i <= 130; i++) tom.say(`line ${i}`);
  await until("they are said", () => eve.messages().some(({ text }) => text === "line 130"));
  await ada.join(ROOM);
  await ada.sees("line 130");
  await nearTop(ada, "line 61");
  await ada.says("70 new");
});

scenario("lines of clocks that are behind move nobody away from the end that they read", async (stage) => {
  const { hub, ada } = await reader(stage, 0);
  const sender = await jsProcess(stage, "raw");
  await sender.enter(hub.ws, ROOM);
  const publish = (lines) => sender.ask("publishAll", ROOM, lines.map(({ bytes }) => bytes.toString("base64")));
  const [old, bob] = [new Author(), new Author()];
  const ago = (minutes) => Date.now() - minutes * MINUTE_MS;
  await publish(Array.from({ length: 20 }, (_, i) => old.line(ROOM, `old ${i}`, { time: ago(55) + i })));
  await ada.sees("old 19");
  await ada.reload();
  await ada.sees("old 19");
  await passed(CATCH_UP_MS);
  await publish(Array.from({ length: 60 }, (_, i) => bob.line(ROOM, `bob ${i}`)));
  await ada.sees("bob 59");
  await atEnd(ada);
  for (const minutes of [20, 21, 22]) {
    await publish([new Author().line(ROOM, `${minutes} minutes behind`, { time: ago(minutes) })]);
    await ada.sees(`${minutes} minutes behind`);
    await ada.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))));
    assert.ok((await distance(ada)) < 2, `the list was moved ${await distance(ada)} px from its end`);
    assert.equal(await ada.find("new-since").count(), 0, "nothing was missed");
  }
});

scenario("a tall text stands folded, and is shown whole by a button that the keyboard reaches", async (stage) => {
  const { ada } = await reader(stage, 1);
  const tall = Array.from({ length: 80 }, (_, i) => `row ${i}`).join("\n");
  await ada.say("small");
  await ada.say(tall);
  const text = (await ada.sees(tall)).text;
  assert.equal(text, tall, "all of it is there");
  const line = ada.page.locator('[data-testid="message"]').last();
  const height = async () => (await line.boundingBox()).height;
  assert.ok((await height()) < 400, `folded it is ${await height()} px tall`);
  assert.equal(await ada.find("unfold").count(), 1, "small ones have no button");
  await ada.tabTo("unfold");
  assert.equal(await ada.find("unfold").getAttribute("aria-expanded"), "false");
  await ada.page.keyboard.press("Enter");
  await until("it is whole", async () => (await height()) > 1_500);
  assert.equal(await ada.find("unfold").getAttribute("aria-expanded"), "true");
  await ada.page.keyboard.press("Enter");
  await until("it is folded again", async () => (await height()) < 400);
});

scenario("what was begun and not sent is there after a reload, in its room", async (stage) => {
  const { ada } = await reader(stage, 0);
  await ada.find("message-input").fill("half a\nsentence & 100 %");
  await ada.join("other");
  assert.equal(await ada.find("message-input").inputValue(), "");
  await ada.openRoom(ROOM);
  await ada.reload();
  await until("the draft is back", async () => (await ada.find("message-input").inputValue()) === "half a\nsentence & 100 %");
  await ada.page.keyboard.press("Tab");
  await ada.find("message-input").focus();
  await ada.page.keyboard.press("Enter");
  await ada.sees("half a\nsentence & 100 %");
  await ada.reload();
  await ada.sees("half a\nsentence & 100 %");
  assert.equal(await ada.find("message-input").inputValue(), "", "what was sent is no draft");
});
