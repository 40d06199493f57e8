// A line more costs a page one row, however many are there.

import assert from "node:assert/strict";
import { Author } from "./support/frames.mjs";
import { jsProcess } from "./support/js.mjs";
import { address, scenario } from "./support/stage.mjs";
import { drawn } from "./support/stops.mjs";

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
  await sender.ask("publishAll", ROOM, many.map(base64));
  await drawn(ada, `line ${LINES - 1}`, LINES, DRAWN_MS);
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
