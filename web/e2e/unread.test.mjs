// What a page says of lines that arrive while nobody looks at it.

import assert from "node:assert/strict";
import fs from "node:fs";
import { AUTHOR_LOGGED, Author } from "./support/frames.mjs";
import { jsProcess } from "./support/js.mjs";
import { drawn } from "./support/stops.mjs";
import { FIREFOX, firefoxPage } from "./transports/browsers.mjs";
import { address, scenario } from "./support/stage.mjs";
import { hide, hideable, show } from "./support/unseen.mjs";
import { until } from "./support/wait.mjs";

const ROOM = "unread";
const TITLE = `${ROOM} · Tincan`;

/** Somebody at a page that can be hidden, and a terminal that talks to them. */
async function pair(stage, { options, room = ROOM } = {}) {
  const hub = await stage.hub();
  const ada = await hideable(await stage.somebody("ada", undefined, options));
  await ada.open(address(hub.page, room), "ada");
  const tom = stage.terminal("tom", room, [hub.tcp]);
  await ada.lists("tom");
  return { hub, ada, tom };
}

const says = async (ada, tom, ...texts) => {
  for (const text of texts) {
    tom.say(text);
    await ada.sees(text);
  }
};

const titled = (person, title) =>
  until(async () => `the title is ${title}; it is ${await person.page.title()}`, async () => (await person.page.title()) === title);

const icon = (person) => person.page.locator("link[rel=icon]").getAttribute("href");

/** The text right below "new since you were here"; nothing when that is not there. */
const newSince = (person) =>
  person.page.evaluate(() => {
    const marks = document.querySelectorAll('[data-testid="new-since"]');
    if (marks.length > 1) throw new Error(`${marks.length} marks`);
    return marks[0]?.nextElementSibling.querySelector('[data-testid="message-text"]').textContent;
  });

const isNewSince = (person, text) =>
  until(async () => `${text} is the first new line; it is ${await newSince(person)}`, async () => (await newSince(person)) === text);

scenario("lines that arrive while the page is hidden are counted in title and icon, and marked where one left off", async (stage) => {
  const { ada, tom } = await pair(stage);
  await says(ada, tom, "seen");
  await titled(ada, TITLE);
  const seenIcon = await icon(ada);

  await hide(ada);
  await says(ada, tom, "one", "two", "three");
  await titled(ada, `(3) ${TITLE}`);
  assert.notEqual(await icon(ada), seenIcon, "the icon has a dot");
  const picture = await ada.page.evaluate(async () => {
    const answer = await fetch(document.querySelector("link[rel=icon]").href);
    return { ok: answer.ok, type: answer.headers.get("content-type"), text: await answer.text() };
  });
  assert.ok(picture.ok && picture.type.startsWith("image/svg+xml") && picture.text.includes("<circle"), picture.text);

  await show(ada);
  await titled(ada, TITLE);
  assert.equal(await icon(ada), seenIcon);
  await isNewSince(ada, "one");
  await says(ada, tom, "four");
  await titled(ada, TITLE);
  assert.equal(await newSince(ada), "one", "what is seen as it arrives is not new");

  // One's own lines are no news, and the mark begins anew.
  await hide(ada);
  await says(ada, tom, "five");
  await titled(ada, `(1) ${TITLE}`);
  await show(ada);
  await isNewSince(ada, "five");
});

scenario("lines in another room are counted, and marked when it is opened", async (stage) => {
  const { ada, tom } = await pair(stage);
  await says(ada, tom, "seen");
  await ada.join("other");
  tom.say("while you were elsewhere");
  await titled(ada, "(1) other · Tincan");
  await ada.openRoom(ROOM);
  await isNewSince(ada, "while you were elsewhere");
  await titled(ada, TITLE);
});

scenario("of more lines than a room keeps, the first that is left is marked as new", async (stage) => {
  const [lines, kept] = [700, 500];
  const { hub, ada, tom } = await pair(stage);
  await says(ada, tom, "seen");
  const sender = await jsProcess(stage, "raw");
  await sender.enter(hub.ws, ROOM);
  const author = new Author();
  await hide(ada);
  const frames = Array.from({ length: lines }, (_, n) => author.line(ROOM, `line ${n}`));
  await sender.publishInParts(ROOM, frames, AUTHOR_LOGGED, (count) => titled(ada, `(${count}) ${TITLE}`));
  await drawn(ada, `line ${lines - 1}`, kept, 60_000);
  await titled(ada, `(${lines}) ${TITLE}`);
  await show(ada);
  await isNewSince(ada, `line ${lines - kept}`);
  await ada.says(`${kept} new`);
});

scenario("when the author of the first new line is muted, the next line that is shown is marked as new", async (stage) => {
  const { hub, ada, tom } = await pair(stage);
  const eve = stage.terminal("eve", ROOM, [hub.tcp]);
  const { peer } = await ada.lists("eve");
  await says(ada, tom, "seen");
  await hide(ada);
  await says(ada, eve, "noise");
  await says(ada, tom, "signal");
  await show(ada);
  await isNewSince(ada, "noise");
  await ada.page.locator(`[data-testid="peer-row"][data-peer="${peer}"] [data-testid="mute"]`).click();
  await isNewSince(ada, "signal");
});

scenario("the mark survives a reload, and history that a newcomer gets is not new", async (stage) => {
  const { hub, ada, tom } = await pair(stage);
  await says(ada, tom, "seen", "seen last");
  await hide(ada);
  await says(ada, tom, "arrived while hidden");
  await ada.reload();
  await isNewSince(ada, "arrived while hidden");

  // Said while no page was open.
  await ada.page.goto("about:blank");
  tom.say("said while the page was closed");
  tom.say("and after that");
  await ada.open(address(hub.page, ROOM));
  await ada.sees("and after that");
  await isNewSince(ada, "said while the page was closed");
  await titled(ada, TITLE);

  const ben = await stage.person(hub, "ben", ROOM);
  await ben.sees("and after that");
  await ben.lists("ada");
  assert.equal(await newSince(ben), undefined, "a newcomer was never here");
});

scenario("days and times are written in the reader's language and time zone, from the first row on", async (stage) => {
  const looks = {
    "de-DE": { zone: "Europe/Berlin", day: /^(Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag), \d+\. \w+ \d{4}$/u },
    "en-US": { zone: "Asia/Tokyo", day: /^\w+day, \w+ \d+, \d{4}$/u },
  };
  for (const [locale, { zone, day }] of Object.entries(looks)) {
    const { ada, tom } = await pair(stage, { options: { locale, timezoneId: zone }, room: `in ${locale}` });
    await says(ada, tom, "first");
    const list = ada.page.locator(".lines ol > li");
    assert.match(await list.first().textContent(), day, "the first row is a day");
    assert.equal(await ada.find("day").count(), 1);
    const time = ada.page.locator(".heading time").first();
    const wanted = await time.evaluate((element, [locale, timeZone]) => {
      const style = { timeStyle: "short", timeZone };
      return new Intl.DateTimeFormat(locale, style).format(new Date(element.dateTime));
    }, [locale, zone]);
    assert.equal(await time.textContent(), wanted);
    assert.equal(await ada.find("day").textContent(), await ada.find("day").locator("time").evaluate((element, [locale, timeZone]) => {
      const style = { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone };
      return new Intl.DateTimeFormat(locale, style).format(new Date(element.dateTime));
    }, [locale, zone]));
  }
});

scenario("in Firefox, behind another tab: title, icon and the mark", async (stage) => {
  const hub = await stage.hub();
  const browser = await firefoxPage({});
  try {
    const page = await browser.newPage();
    const faults = [];
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(address(hub.page, ROOM));
    const tom = stage.terminal("tom", ROOM, [hub.tcp]);
    await tom.line(/^joined: /, { stream: "err" });
    const shows = (text) => until(`Firefox shows ${text}`, () => page.evaluate((text) => document.body.innerText.includes(text), text));
    tom.say("seen");
    await shows("seen");
    const other = await browser.newPage();
    await other.bringToFront();
    await until("the page is hidden", () => page.evaluate(() => document.visibilityState === "hidden"));
    for (const text of ["one", "two"]) tom.say(text);
    await until(async () => `two are counted; the title is ${await page.title()}`, async () => (await page.title()) === `(2) ${TITLE}`);
    assert.match(await page.evaluate(() => document.querySelector("link[rel=icon]").href), /icon-unread/);
    await page.bringToFront();
    await until("the title is as before", async () => (await page.title()) === TITLE);
    const first = await page.evaluate(() => document.querySelector('[data-testid="new-since"]')?.nextElementSibling.innerText);
    assert.match(first, /one/);
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
  }
}, { skip: !fs.existsSync(FIREFOX) && `${FIREFOX} is not there; FIREFOX names another` });
