// What pages need to join a hub and to move bytes, on loopback and over a slow path.

import { TrialPage, trialBrowser, trialSite } from "../trial.mjs";
import { Place } from "./place.mjs";
import { Series } from "./series.mjs";
import { within } from "./within.mjs";

export const PINGS = 10;
export const PATHS = ["loopback", "slow"];
export const TRANSPORTS = ["ws", "webrtc"];
export const DIRECTIONS = ["up", "down"];
/** A page ends a join itself, earlier than this. */
const JOIN_LIMIT_MS = 30_000;
const BULK_LIMIT_MS = 180_000;
const LOAD_LIMIT_MS = 60_000;
const CLOSE_LIMIT_MS = 10_000;
/** How long a page may take to have nothing to do. */
const IDLE_MS = 500;

/** Runs in the page: ends when it has nothing to do. Without a bound, now and then Chromium never says so. */
const idle = (timeout) => new Promise((resolve) => requestIdleCallback(() => resolve(), { timeout }));

/** A fresh page of a fresh profile for one call. */
async function visit(browser, url, limitMs, call, words) {
  const page = await within(LOAD_LIMIT_MS, "the page is there", () => TrialPage.open(browser, url));
  try {
    const ended = async () => {
      // What it does to be there is no part of what is measured.
      await page.page.evaluate(idle, IDLE_MS);
      return page.call(call, ...words);
    };
    const outcome = await within(limitMs, `${call} ends`, ended);
    if (outcome.ok === false) throw new Error("the hash is wrong");
    return { ...outcome, faults: await page.takeFaults() };
  } finally {
    await within(CLOSE_LIMIT_MS, "the page is gone", () => page.close());
  }
}

/** What runs of every kind came to: `series[path][transport][kind]`, each with `join`, `up` and `down`. */
function nothingSeen(kinds) {
  const each = (names, make) => Object.fromEntries(names.map((name) => [name, make()]));
  return each(PATHS, () => each(TRANSPORTS, () => each(kinds, () => each(["join", ...DIRECTIONS], () => new Series()))));
}

/** `runs[path]` says how often: `{ joins, bulks, bytes }`. Answers the series, and what they were measured on. */
export async function measurePages({ startHub, kinds, runs, note }) {
  const series = nothingSeen(kinds);
  const place = new Place(startHub);
  const ends = [() => place.end()];
  try {
    const browser = await trialBrowser();
    ends.push(() => browser.close());
    const urls = {};
    for (const kind of kinds) {
      const site = await trialSite(kind);
      ends.push(() => site.end());
      urls[kind] = site.url;
    }
    const one = async (path, transport, kind, what, limitMs, call, ...words) => {
      const address = (await place.addresses())[path][transport];
      const seen = series[path][transport][kind][what];
      const outcome = await seen.run(() => visit(browser, urls[kind], limitMs, call, [address, ...words]));
      note(`${path}, ${transport}, ${kind}, ${what} ${seen.runs}`, outcome);
    };
    for (const path of PATHS) {
      const { joins, bulks, bytes } = runs[path];
      for (let run = 0; run < Math.max(joins, bulks); run++) {
        for (const transport of TRANSPORTS) {
          // Nobody is always first.
          const order = kinds.map((_, n) => kinds[(n + run) % kinds.length]);
          const all = async (...what) => {
            for (const kind of order) await one(path, transport, kind, ...what);
          };
          if (run < joins) await all("join", JOIN_LIMIT_MS, "join", { pings: PINGS });
          if (run >= bulks) continue;
          for (const direction of DIRECTIONS) await all(direction, BULK_LIMIT_MS, "bulk", direction, bytes);
        }
      }
    }
    return { series, fallen: place.fallen, browser: await versionOf(browser) };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

const versionOf = async (browser) => (await browser.version()).split(".")[0];
