// Text is shown as it was said, each line by itself, and names tell people apart.

import assert from "node:assert/strict";
import { Author } from "./support/frames.mjs";
import { jsProcess } from "./support/js.mjs";
import { seesExactly } from "./support/lines.mjs";
import { scenario } from "./support/stage.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "script";
const SAID = [
  "fn main() {\n\tprintln!(\"tab\");\n}",
  "call \u202a+49 170 1234567\u202c now",
  "(\u200fשלום\u200f) \u200eabc\u061c",
  "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f} 👩‍👩‍👧",
];

/** Where characters of a shown text stand, by their place in it. */
const placesOf = (person, text, characters) =>
  person.find("message-text").filter({ hasText: text }).first().evaluate((element, wanted) => {
    const node = element.firstChild;
    const box = element.getBoundingClientRect();
    const place = (at) => {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      const { left, right, top, width } = range.getBoundingClientRect();
      return { left: left - box.left, right: box.right - right, top, width };
    };
    return wanted.map((character) => place(node.data.indexOf(character)));
  }, characters);

scenario("code, telephone numbers, Hebrew and flags are shown as they were said, on a page and in a pipe", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await Promise.all([ada.lists("bob"), ada.lists("tom"), bob.lists("tom")]);
  for (const text of SAID) await ada.say(text);
  await seesExactly(tom, ada.peerId, SAID, { lineFeeds: false });
  await bob.sees(SAID.at(-1));
  assert.deepEqual(await bob.textsOf(ada.peerId), SAID, "letter by letter");
  const [tab, brace] = await placesOf(bob, "fn main", ["\t", "{"]);
  assert.ok(tab.width > 1.5 * brace.width, `a tab is white space of its own: ${tab.width} beside ${brace.width}`);
});

scenario("no line reorders what stands beside it, and each has its own direction", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
  await Promise.all([ada.lists("bob"), bob.lists("ada")]);
  await ada.say("photo\u202egnp.exe ends\nNEXT");
  await ada.say("שלום\nafter");
  await ada.say("\u2067\u202bopen\nBELOW");
  await bob.sees("\u2067\u202bopen\u202c\u2069\nBELOW");

  const spoof = await placesOf(bob, "photo", ["g", "x", "N", "T"]);
  assert.ok(spoof[0].left < spoof[1].left && spoof[2].left < spoof[3].left, "what was overridden reads from left to right");
  const [shin, mem, after] = await placesOf(bob, "שלום", ["ש", "ם", "a"]);
  assert.ok(shin.left > mem.left && shin.right < 2, "Hebrew begins at the right");
  assert.ok(after.left < 2, "and the next line, which is English, at the left");
  const [below, end] = await placesOf(bob, "BELOW", ["B", "W"]);
  assert.ok(below.left < 2 && below.left < end.left, "nothing that was opened reaches the next line");
});

scenario("a nick that shows nothing is refused, and one that others send gives way to the id", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  for (const blank of ["\u3164", "\u200b\u2060", "\u2800\ufe0f"]) {
    await ada.find("nick-input").fill(blank);
    await ada.page.keyboard.press("Enter");
    await ada.errorSays(/shows nothing on a screen/);
  }
  await ada.takeNick("ada");
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await ada.lists("tom");
  const sender = await jsProcess(stage, "raw");
  await sender.enter(hub.ws, ROOM);
  const nobody = new Author();
  await sender.ask("publish", ROOM, [...nobody.line(ROOM, "boo", { nick: "\u3164\u200b" }).bytes]);
  await ada.sees("boo");
  const short = nobody.peerId.slice(-6);
  const heading = ada.page.locator(`[data-testid="message"][data-from="${nobody.peerId}"] .heading .nick`);
  assert.equal(await heading.textContent(), `…${short}`);
  await tom.line(new RegExp(`^\\[${ROOM}\\] ${short} \\(${short}\\): boo$`));
});

scenario("a nick that looks like another member's is marked, by a table that nobody waits for", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  const asked = [];
  ada.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const table = () => asked.filter((path) => path.endsWith("/confusables.txt")).length;
  await ada.open(`${hub.page}#room=${ROOM}`, "ada");
  const [eve, bob] = [await stage.person(hub, "аdа", ROOM), await stage.person(hub, "bob", ROOM)];
  await Promise.all([ada.lists("аdа"), ada.lists("bob"), bob.lists("ada"), bob.lists("аdа")]);
  assert.equal(table(), 0, "before the first line nothing is fetched");
  await eve.say("it is me");
  await bob.say("hello");
  await Promise.all([ada.sees("hello"), ada.sees("it is me")]);

  const mark = (person, of) =>
    person.page.locator(`[data-testid="message"][data-from="${of.peerId}"] .heading, [data-testid="peer-row"][data-peer="${of.peerId}"]`)
      .locator('[data-testid="look-alike"]');
  await until("both of eve's names are marked", async () => (await mark(ada, eve).count()) === 2);
  assert.equal(await mark(ada, eve).first().textContent(), `looks like …${ada.peerId.slice(-6)}`);
  assert.match(await mark(ada, eve).first().getAttribute("title"), new RegExp(`called ada: ${ada.peerId}`));
  assert.equal(await mark(ada, bob).count(), 0);
  assert.equal(table(), 1);
  await until("bob sees both marked", async () => (await mark(bob, ada).count()) > 0 && (await mark(bob, eve).count()) > 0);
  await eve.takeNick("eve");
  await until("another nick loses the mark", async () => (await mark(bob, ada).count()) === 0);
});
