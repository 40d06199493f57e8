// A line more costs a page one row, however many are there.

import assert from "node:assert/strict";
import { AUTHOR_LOGGED, Author } from "./support/frames.mjs";
import { jsProcess } from "./support/js.mjs";
import { address, scenario } from "./support/stage.mjs";
import { drawn } from "./support/stops.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "long";
const LINES = 400;
const MORE = 5;
/** Dates that the page may ask the browser for, a new line: its time, its day, when it came. */
const DATES_PER_LINE = 12;
const DRAWN_MS = 60_000;

/** Counts in the page: dates that are made, and rows that are put in or taken out. */
function count() {
  globalThis.counted = { dates: 0, rows: 0 };
  const { counted } = globalThis;
  globalThis.Date = new Proxy(Date, {
    construct(target, words) {
      counted.dates += 1;
      return new target(...words);
    },
  });
  const rows = (nodes) => [...nodes].filter((node) => node.matches?.('[data-testid="message"]')).length;
  new MutationObserver((changes) => {
    for (const { addedNodes, removedNodes } of changes) counted.rows += rows(addedNodes) + rows(removedNodes);
  }).observe(document, { subtree: true, childList: true });
}

scenario(`beside ${LINES} lines, another one draws one row and asks for a few dates`, async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  await ada.page.addInitScript(count);
  await ada.open(address(hub.page, ROOM), "ada");
  const sender = await jsProcess(stage, "raw");
  await sender.enter(hub.ws, ROOM);
  const base64 = (frame) => frame.bytes.toString("base64");
  const author = new Author();
  const many = Array.from({ length: LINES }, (_, n) => author.line(ROOM, `line ${n}`));
  await sender.publishInParts(ROOM, many, AUTHOR_LOGGED, (n) => drawn(ada, `line ${n - 1}`, n, DRAWN_MS));
  for (let n = 0; n < MORE; n++) {
    await ada.page.evaluate(() => Object.assign(globalThis.counted, { dates: 0, rows: 0 }));
    await sender.ask("publishAll", ROOM, [author.line(ROOM, `more ${n}`)].map(base64));
    await drawn(ada, `more ${n}`, LINES + n + 1, DRAWN_MS);
    const { dates, rows } = await ada.page.evaluate(() => globalThis.counted);
    process.stdout.write(`    a line more: ${rows} rows, ${dates} dates\n`);
    assert.equal(rows, 1, "no other row is made anew");
    assert.ok(dates <= DATES_PER_LINE, `${dates} dates for one line`);
  }
});

scenario("a line moves in when it arrives, and not again when its room is opened or it is drawn anew", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  await ada.page.addInitScript(() => {
    globalThis.movedIn = [];
    addEventListener("animationstart", ({ animationName, target }) => {
      if (animationName === "arrive") globalThis.movedIn.push(target.querySelector('[data-testid="message-text"]').textContent);
    });
  });
  await ada.open(address(hub.page, ROOM), "ada");
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await ada.lists("tom");
  const movedIn = () => ada.page.evaluate(() => globalThis.movedIn);
  // Two frames: in the first an animation begins, before the second it is told.
  const frames = () => ada.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  tom.say("one");
  await until("one moves in", async () => (await movedIn()).join() === "one");
  await ada.join("other");
  tom.say("two");
  await until("two is unread", async () => /1 unread/.test(await ada.tab(ROOM).textContent()));
  await ada.openRoom(ROOM);
  await ada.sees("two");
  await frames();
  assert.deepEqual(await movedIn(), ["one"]);
  tom.say("three");
  await until("three moves in", async () => (await movedIn()).join() === "one,three");
  // Hidden and shown again, all of tom's rows are drawn anew.
  const { peer } = await ada.lists("tom");
  const mute = ada.page.locator(`[data-testid="peer-row"][data-peer="${peer}"] [data-testid="mute"]`);
  await mute.click();
  await until("they are hidden", async () => (await ada.find("message").count()) === 0);
  await mute.click();
  await ada.sees("three");
  await frames();
  assert.deepEqual(await movedIn(), ["one", "three"]);
});

scenario("rooms whose lines look alike show their own", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  await ada.say("said in the one");
  await ada.sees("said in the one");
  await ada.join("other");
  await ada.say("said in the other");
  const shown = () => ada.find("message-text").allTextContents();
  for (const [room, text] of [["other", "said in the other"], [ROOM, "said in the one"], ["other", "said in the other"]]) {
    await ada.openRoom(room);
    await until(`${room} shows its own`, async () => (await shown()).join() === text);
  }
});

/** A local hour with one digit, in some time zone, now. */
function zoneAtHour(hour) {
  const offset = (((hour - new Date().getUTCHours()) % 24) + 24) % 24;
  // Of the names with a sign, those to the east have a minus; they reach to 14 hours.
  return offset <= 12 ? `Etc/GMT${offset ? `-${offset}` : ""}` : `Etc/GMT+${24 - offset}`;
}

for (const [locale, hour, wanted] of [
  ["en-US", 4, /^[45]:\d\d\sAM$/u],
  ["en-US", 16, /^[45]:\d\d\sPM$/u],
  ["de-DE", 4, /^0[45]:\d\d$/],
  ["ja-JP", 4, /^[45]:\d\d$/],
]) {
  scenario(`in ${locale}, hour ${hour} is written as people there write it`, async (stage) => {
    const hub = await stage.hub();
    const ada = await stage.somebody("ada", undefined, { locale, timezoneId: zoneAtHour(hour) });
    await ada.open(address(hub.page, ROOM), "ada");
    await ada.say("what time is it?");
    await ada.sees("what time is it?");
    assert.match(await ada.page.locator('[data-testid="message"] .heading time').innerText(), wanted);
  });
}
