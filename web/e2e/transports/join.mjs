// Joins a trial hub from a page, over and over, and says how each went.
//
//   TRIAL_BIN=… TRIAL_PAGE=… node web/e2e/transports/join.mjs --page ours|published|js --address ws|webrtc
//       [--runs 10] [--hub ours|stock] [--nomangle] [--firefox] [--fresh]

import { parseArgs } from "node:util";
import { median } from "../support/report.mjs";
import { PAGES, TrialPage, trialBrowser, trialHub, trialSite } from "./trial.mjs";

const MOMENTS = ["dial", "subscribed", "message", "ping", "total"];

const { values: options } = parseArgs({
  options: {
    page: { type: "string", default: "ours" },
    address: { type: "string", default: "ws" },
    runs: { type: "string", default: "10" },
    hub: { type: "string", default: "ours" },
    nomangle: { type: "boolean", default: false },
    firefox: { type: "boolean", default: false },
    // A page for each run, instead of one for all.
    fresh: { type: "boolean", default: false },
  },
});
const oneOf = (name, all) => {
  if (!all.includes(options[name])) throw new Error(`--${name} ${options[name]}; say ${all.join(" or ")}`);
};
oneOf("page", Object.keys(PAGES));
oneOf("address", ["ws", "webrtc"]);
oneOf("hub", ["stock", "ours"]);
const runs = Number(options.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${options.runs} is no number from 1 on`);

const ends = [];
const kept = (one, end = () => one.end()) => (ends.push(end), one);
const outcomes = [];
try {
  const hub = kept(await trialHub({ transports: options.hub }));
  const site = kept(await trialSite(options.page));
  const browser = await trialBrowser(options);
  kept(browser, () => browser.close());
  let page;
  for (let run = 1; run <= runs; run++) {
    if (options.fresh) await page?.close();
    if (options.fresh || !page) page = await TrialPage.open(browser, site.url);
    const outcome = await page.call("join", hub[options.address]).catch((error) => ({ error: error.message.split("\n")[0] }));
    outcomes.push({ ...outcome, faults: await page.takeFaults() });
    process.stdout.write(`${JSON.stringify({ run, ...outcomes.at(-1) })}\n`);
  }
} finally {
  for (const end of ends.reverse()) await end();
}

const joined = outcomes.filter(({ error }) => !error);
const clean = joined.filter(({ faults }) => faults.length === 0);
const middle = Object.fromEntries(
  MOMENTS.map((name) => [name, joined.length ? Number(median(joined.map((one) => one[name])).toFixed(1)) : null]),
);
process.stdout.write(`${JSON.stringify({ runs, joined: joined.length, clean: clean.length, median: middle })}\n`);
process.exitCode = clean.length === runs ? 0 : 1;
