// What pages need to join a hub and to move bytes, on loopback and over far paths.

import { TrialPage, trialBrowser, trialSite } from "../trial.mjs";
import { PATHS, runsOf } from "./paths.mjs";
import { Places } from "./place.mjs";
import { Series } from "./series.mjs";
import { within } from "./within.mjs";

/** Who dials whom: ours among themselves, and each of the others with one end of ours. */
export const PAIRS = [
  { page: "ours", hub: "ours" },
  { page: "published", hub: "ours" },
  { page: "js", hub: "ours" },
  { page: "ours", hub: "stock" },
  { page: "ours", hub: "go" },
];
export const PINGS = 10;
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

/** Every row that was asked for: path, transport and pair, with a series of each kind of run that was. */
export function pageRows(asked) {
  const all = Object.keys(PATHS).flatMap((path) =>
    TRANSPORTS.flatMap((transport) => PAIRS.map((pair) => ({ path, transport, ...pair }))),
  );
  for (const row of all) {
    const { path, transport, page, hub } = row;
    const kinds = ["join", ...DIRECTIONS].filter((kind) => asked(`pages ${path} ${transport} ${page}-${hub} ${kind}`));
    row.series = Object.fromEntries(kinds.map((kind) => [kind, new Series()]));
  }
  return all.filter(({ series }) => Object.keys(series).length > 0);
}

/** Fills the rows; `runs` says how often for each kind of path: `{ joins, bulks, bytes }`. Answers what they were measured on. */
export async function measurePages(all, { programs, runs, note }) {
  const places = new Places(programs);
  const ends = [() => places.end()];
  try {
    const browser = await trialBrowser();
    ends.push(() => browser.close());
    const sites = {};
    const url = async (page) => {
      if (!sites[page]) {
        sites[page] = await trialSite(page);
        ends.push(() => sites[page].end());
      }
      return sites[page].url;
    };
    const one = async ({ path, transport, page, hub, series }, what, limitMs, call, ...words) => {
      const seen = series[what];
      if (!seen) return;
      const from = await url(page);
      const act = async () => {
        const address = (await places.reached(hub, path))[transport];
        return visit(browser, from, limitMs, call, [address, ...words]);
      };
      note(`${path}, ${transport}, ${page} → ${hub}, ${what} ${seen.runs + 1}`, await seen.run(act));
    };
    for (const path of Object.keys(PATHS)) {
      const { joins, bulks, bytes } = runsOf(path, runs);
      for (let run = 0; run < Math.max(joins, bulks); run++) {
        for (const transport of TRANSPORTS) {
          const here = all.filter((row) => row.path === path && row.transport === transport);
          // Nobody is always first.
          const order = here.map((_, n) => here[(n + run) % here.length]);
          const each = async (...what) => {
            for (const row of order) await one(row, ...what);
          };
          if (run < joins) await each("join", JOIN_LIMIT_MS, "join", { pings: PINGS });
          if (run >= bulks) continue;
          for (const direction of DIRECTIONS) await each(direction, BULK_LIMIT_MS, "bulk", direction, bytes);
        }
      }
    }
    return { fallen: places.fallen, browser: await versionOf(browser) };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

const versionOf = async (browser) => (await browser.version()).split(".")[0];
