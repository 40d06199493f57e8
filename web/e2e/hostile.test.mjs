// Whatever strangers send, no page stops for longer than a person notices, and all is shown as text.

import assert from "node:assert/strict";
import { Author, field, measured } from "./support/frames.mjs";
import { shape, shapes } from "./support/hostile.mjs";
import { jsProcess } from "./support/js.mjs";
import { LONGEST, seesExactly } from "./support/lines.mjs";
import { everySpecial, shown } from "./support/shown.mjs";
import { address, scenario } from "./support/stage.mjs";
import { drawn, stopOf, watchStops } from "./support/stops.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "square";
/** The longest that a page may stop. */
const MOST_MS = 200;
/** A stop is seen again each time; what else the machine does is not. */
const TIMES = 3;
/** Lines of a room on the screen, at most. */
const SHOWN = 500;
/** Lines of 4 KiB that one sync brings, as many as a node keeps for others, and short ones, almost as many as it takes. */
const LONG_LINES = 64;
const SHORT_LINES = 1000;
/** A js peer that pages can dial. */
const LISTENS = { listen: ["/ip4/127.0.0.1/tcp/0/ws"] };
/** Bytes of a nick. */
const LONGEST_NICK = 64;
/** How long a page may take to draw a flood. */
const FLOOD_MS = 60_000;

const base64 = (frame) => frame.bytes.toString("base64");

/** Somebody at a page whose stops are counted, and a js peer in the same room who publishes any bytes. */
async function square(stage, room = ROOM) {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  await watchStops(ada.page);
  await ada.open(address(hub.page, room), "ada");
  const sender = await jsProcess(stage, "raw");
  await sender.enter(hub.ws, room);
  let count = 0;
  /** Publishes frames with one more line after them, and waits until the page shows all that it is to show. */
  const send = async (frames, lines = frames.length) => {
    const last = `after ${(count += lines + 1)}`;
    await sender.ask("publishAll", room, [...frames, new Author().line(room, last)].map(base64));
    await drawn(ada, last, Math.min(count, SHOWN), FLOOD_MS);
  };
  await send([]);
  return { hub, ada, sender, send };
}

/** Fails with every stop that was too long. */
function holds(stops) {
  const tooLong = stops.filter(({ ms }) => ms > MOST_MS).map(({ what, ms }) => `${what}: ${ms} ms`);
  const longest = [...stops].sort((a, b) => b.ms - a.ms).slice(0, 5).map(({ what, ms }) => `${what} ${ms} ms`);
  process.stdout.write(`    the longest stops: ${longest.join(", ")}\n`);
  assert.deepEqual(tooLong, [], `a page stopped for more than ${MOST_MS} ms`);
}

scenario("no line of any shape stops a page for 200 ms, nor do their authors' nicks", async (stage) => {
  const { ada, send } = await square(stage);
  const stops = [];
  for (const { name, text } of shapes()) {
    const ms = await stopOf(ada.page, MOST_MS, TIMES, () => send([new Author().line(ROOM, text)]));
    stops.push({ what: name, ms });
  }
  for (const { name, text } of shapes(LONGEST_NICK)) {
    const act = () => send([new Author().presence(ROOM, text, { status: text })].concat(new Author().line(ROOM, "hello", { nick: text })), 1);
    stops.push({ what: `nick of ${name}`, ms: await stopOf(ada.page, MOST_MS, TIMES, act) });
  }
  holds(stops);
});

scenario("nor do hundreds of them that one sync brings, their room opened again, or a reload", async (stage) => {
  const { ada } = await square(stage);
  const liar = await jsProcess(stage, "liar", LISTENS);
  const SYNC = "/tincan/sync/1.0.0";
  await liar.ask("answer", SYNC, "");
  const [where] = await liar.ask("addresses");
  await ada.dial(where);
  await until("the page is connected", async () => (await ada.peers()).some(({ peer }) => peer === liar.peerId));
  const stops = [];
  const rooms = ["one word", "line breaks", "links", "marks on every letter", "every script"].map((name) => ({ name, count: LONG_LINES, text: shape(name, LONGEST - 8) }));
  for (const { name, count, text } of [...rooms, { name: "short lines", count: SHORT_LINES, text: "hello" }]) {
    let room;
    const lines = Array.from({ length: count }, (_, n) => `${n} ${text}`);
    const there = () => drawn(ada, lines.at(-1).slice(0, 100), Math.min(count, SHOWN), FLOOD_MS);
    // A room is synced once: each time another.
    const sync = async (time) => {
      room = `${name} ${time}`;
      const frames = lines.map((line, n) => field(1, new Author().line(room, line, { time: Date.now() - count + n }).bytes));
      await liar.ask("answer", SYNC, measured(Buffer.concat(frames)).toString("base64"));
      await liar.ask("enter", room);
      await ada.join(room);
      await there();
    };
    stops.push({ what: `a sync of ${count}: ${name}`, ms: await stopOf(ada.page, MOST_MS, TIMES, sync) });
    const open = async () => {
      await ada.openRoom(ROOM);
      await ada.openRoom(room);
      await there();
    };
    stops.push({ what: `the room opened again: ${name}`, ms: await stopOf(ada.page, MOST_MS, TIMES, open) });
  }
  const reload = () => ada.reload();
  stops.push({ what: "a reload", ms: await stopOf(ada.page, MOST_MS, TIMES, reload) });
  holds(stops);
});

scenario("nor do a thousand members, of whom a hub tells that lies, and its reasons", async (stage) => {
  const { ada } = await square(stage);
  const liar = await jsProcess(stage, "liar", LISTENS);
  const id = () => Buffer.concat([Buffer.from([0, 0x24, 8, 1, 0x12, 0x20]), crypto.getRandomValues(new Uint8Array(32))]);
  const report = () => {
    const named = Array.from({ length: 50 }, () => field(4, id()));
    return field(2, Buffer.concat([field(1, ROOM), field(2, id()), Buffer.from([0x18, 50]), ...named]));
  };
  const reasons = shapes(60_000).map(({ text }) => field(3, Buffer.concat([field(1, "nonsense"), field(2, text)])));
  const said = [...Array.from({ length: 100 }, report), ...reasons].map(measured);
  await liar.ask("answer", "/tincan/hub/1.0.0", Buffer.concat(said).toString("base64"), true);
  const [where] = await liar.ask("addresses");
  const ms = await stopOf(ada.page, MOST_MS, 1, async () => {
    await ada.dial(where);
    await ada.says("refuses: ");
    await until("hundreds are counted", async () => Number(await ada.text("peer-count")) >= 5000);
  });
  holds([{ what: "a hub that lies", ms }]);
});

scenario("nor do five hundred who come, and one who takes a new nick five hundred times", async (stage) => {
  const { ada, send } = await square(stage);
  const crowd = () => Array.from({ length: 500 }, (_, n) => new Author().presence(ROOM, `nick ${n}`));
  const fickle = () => {
    const one = new Author();
    return Array.from({ length: 500 }, (_, n) => one.presence(ROOM, `nick ${n}`));
  };
  const stops = [];
  stops.push({ what: "five hundred presences", ms: await stopOf(ada.page, MOST_MS, TIMES, () => send(crowd(), 0)) });
  stops.push({ what: "five hundred nicks", ms: await stopOf(ada.page, MOST_MS, TIMES, () => send(fickle(), 0)) });
  holds(stops);
});

scenario("rooms, addresses and records of any shape stop nobody either", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  await watchStops(ada.page);
  const stops = [];
  const opening = async (what, url) => {
    const ms = await stopOf(ada.page, MOST_MS, TIMES, async () => {
      await ada.page.goto("about:blank");
      await ada.page.goto(url);
      await ada.find("status").waitFor();
    });
    stops.push({ what, ms });
  };
  for (const { name, text } of shapes(64)) await opening(`room of ${name}`, address(hub.page, text));
  await opening("a room's name of a mebibyte", `${hub.page}#${"room=%25&".repeat(1 << 17)}`);
  await opening("very many hubs", `${hub.page}?${"hub=/ip4/x&".repeat(700)}#room=${ROOM}`);
  await ada.open(address(hub.page, ROOM));
  const kv = stage.console("stranger", [hub.tcp]);
  for (const { name, text } of shapes(8000)) {
    const value = shown(text, { lineFeeds: false }).slice(0, 2600);
    await kv.ask(`PUT key ${value}`);
    stops.push({ what: `record of ${name}`, ms: await stopOf(ada.page, MOST_MS, TIMES, () => ada.ask("GET key")) });
  }
  holds(stops);
});

scenario("every character that could do harm is shown as the table has it, on page and terminal", async (stage) => {
  const { hub, ada, sender } = await square(stage);
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await ada.lists("tom");
  const author = new Author();
  const texts = [everySpecial(), "看https://example.com/a", "https://example.com。谢谢大家", ...shapes().map(({ text }) => text)];
  const lines = texts.map((text) => author.line(ROOM, text));
  await sender.ask("publishAll", ROOM, lines.map(base64));
  await seesExactly(ada, author.peerId, texts);
  await seesExactly(tom, author.peerId, texts, { lineFeeds: false });
  const links = await ada.page.locator('[data-testid="message-text"] a').evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  assert.deepEqual(links.slice(0, 2), ["https://example.com/a", "https://example.com"]);
  assert.equal(await ada.page.locator('[data-testid="message-text"] :not(a)').count(), 0, "nothing but text and links");
});
