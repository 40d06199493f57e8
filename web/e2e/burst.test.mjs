// A thousand lines that arrive within a second, each within all budgets, cost a page little, and it goes on answering. On a
// busy machine gossip drops what waits for longer than a second; a sync brings it if a room's log still holds it.

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { Author, LOGGED } from "./support/frames.mjs";
import { jsProcess } from "./support/js.mjs";
import { address, scenario } from "./support/stage.mjs";
import { drawn, longestStop, watchStops } from "./support/stops.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "busy";
const LINES = 1000;
/** Lines of a room on the screen, at most. */
const SHOWN = 500;
/** Lines sent at once where each is counted. */
const COUNTED_AT_ONCE = LOGGED / 2;
const AUTHORS = 16;
/** Lines among which some come before others that were said earlier. */
const TOGETHER = 20;
/** Time that a page's own thread may work for a line, whatever else the machine does: to verify, store and draw it. */
const MS_PER_LINE = 7;
/** The longest that the page may not answer. Twenty lines are verified in far less; another's work makes it longer. */
const MOST_MS = 1_500;
const DRAWN_MS = 90_000;

/** A thousand lines of a few authors in the order they are said, and the same as they arrive. */
function burst(name, inOrder) {
  const authors = Array.from({ length: AUTHORS }, () => new Author());
  const first = Date.now() - LINES;
  const texts = Array.from({ length: LINES }, (_, n) => `${name} ${n}`);
  const said = texts.map((text, n) => authors[n % AUTHORS].line(ROOM, text, { time: first + n }));
  // The last one still comes last.
  const parts = Array.from({ length: LINES / TOGETHER - 1 }, (_, n) => said.slice(n * TOGETHER, (n + 1) * TOGETHER).reverse());
  return { texts, said: inOrder ? said : [...parts.flat(), ...said.slice(-TOGETHER)] };
}

/** What a page's own thread has worked so far, in milliseconds. */
async function worked(page) {
  const cdp = await page.context().newCDPSession(page);
  // Time of the processor alone: a busy machine makes it hardly longer.
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const all = async () => (await cdp.send("Performance.getMetrics")).metrics;
  return async () => (await all()).find(({ name }) => name === "TaskDuration").value * 1000;
}

/** The page's thread works no more than it may while this happens. */
async function holds(what, now, act) {
  const before = await now();
  await act();
  const each = ((await now()) - before) / LINES;
  process.stdout.write(`    ${what}: ${each.toFixed(2)} ms a line\n`);
  assert.ok(each <= MS_PER_LINE, `${what} cost ${each.toFixed(2)} ms a line`);
}

/** All lines of the log stand at the end, and what stands before them stands in order, each once. */
async function shows(person, wanted) {
  let texts = [];
  const told = () => `the log's lines; these lack: ${wanted.slice(-LOGGED).filter((text) => !texts.includes(text))}`;
  await until(told, async () => {
    texts = await person.find("message-text").allTextContents();
    return isDeepStrictEqual(texts.slice(-LOGGED), wanted.slice(-LOGGED));
  });
  assert.deepEqual(texts, wanted.filter((text) => texts.includes(text)));
}

scenario(`a page answers while ${LINES} lines arrive, and shows them in order`, async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  await watchStops(ada.page);
  await ada.open(address(hub.page, ROOM), "ada");
  const sender = await jsProcess(stage, "raw");
  await sender.enter(hub.ws, ROOM);
  const now = await worked(ada.page);
  for (const [name, inOrder] of [["first", true], ["more", true], ["mixed", false]]) {
    const { texts: wanted, said } = burst(name, inOrder);
    await longestStop(ada.page);
    await holds(name, now, async () => {
      await sender.publishInParts(ROOM, said, LINES, () => drawn(ada, wanted.at(-1), SHOWN, DRAWN_MS));
      await shows(ada, wanted);
    });
    const stop = await longestStop(ada.page);
    process.stdout.write(`    ${name}: the longest stop ${stop} ms\n`);
    assert.ok(stop <= MOST_MS, `${name}: the page stopped for ${stop} ms`);
  }
});

scenario(`a hidden page counts ${LINES} lines that arrive, and shows them when it is seen again`, async (stage) => {
  const hub = await stage.hub();
  const tabs = await stage.tabs();
  const ada = await stage.person(hub, "ada", ROOM, { profile: tabs });
  const sender = await jsProcess(stage, "raw");
  await sender.enter(hub.ws, ROOM);
  const now = await worked(ada.page);
  const other = await tabs.newPage();
  await other.bringToFront();
  await until("the page is hidden", () => ada.page.evaluate(() => document.hidden));
  const { texts: wanted, said } = burst("unseen", true);
  await holds("unseen", now, async () => {
    await sender.publishInParts(ROOM, said, COUNTED_AT_ONCE, (count) =>
      until(`${count} are counted`, async () => (await ada.page.title()).startsWith(`(${count}) `), DRAWN_MS),
    );
  });
  await ada.page.bringToFront();
  await drawn(ada, wanted.at(-1), SHOWN, DRAWN_MS);
  await shows(ada, wanted);
  assert.equal(await ada.find("new-since").count(), 1);
});
