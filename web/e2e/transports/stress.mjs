// What a join does not show: many connections, many streams, streams that nobody reads. Chromium alone.
//
//   TRIAL_BIN=… TRIAL_PAGE=… node web/e2e/transports/stress.mjs --page ours|published|js --address ws|webrtc
//       [--hub ours|stock] [--nomangle] [--only cycles,streams,unread,bulk]

import { parseArgs } from "node:util";
import { alive } from "./alive.mjs";
import { TrialPage, trialBrowser, trialHub, trialSite } from "./trial.mjs";

const CYCLES = 200;
/** After so many, what is made once has been made. */
const WARM_CYCLES = 20;
/** Short streams, and how many of them at once. */
const STREAMS = 2_000;
const AT_ONCE = [1, 16, 256];
const UNREAD_BYTES = 16 * 1024 * 1024;
const BULK_BYTES = 32 * 1024 * 1024;
/** What may be alive after many connections that was not after a few; a browser lets go of some things late. */
const SLACK = { connections: 2, channels: 4, functions: 20, wasm: 1024 * 1024 };

const { values: options } = parseArgs({
  options: {
    page: { type: "string", default: "ours" },
    address: { type: "string", default: "ws" },
    hub: { type: "string", default: "ours" },
    nomangle: { type: "boolean", default: false },
    only: { type: "string" },
  },
});

const TRIALS = {
  async cycles(page, address) {
    await page.call("cycles", address, WARM_CYCLES);
    const before = await alive(page);
    await page.call("cycles", address, CYCLES);
    const after = await alive(page);
    const ok = Object.entries(SLACK).every(([name, slack]) => after[name] - before[name] <= slack);
    return { ok, before, after };
  },
  async streams(page, address) {
    const seen = [];
    for (const atOnce of AT_ONCE) seen.push({ atOnce, ...(await page.call("streams", address, STREAMS, atOnce)) });
    return { ok: seen.every(({ ok }) => ok === STREAMS), seen };
  },
  unread: (page, address) => page.call("unread", address, UNREAD_BYTES),
  async bulk(page, address) {
    const seen = {};
    for (const direction of ["up", "down"]) seen[direction] = await page.call("bulk", address, direction, BULK_BYTES);
    return { ok: Object.values(seen).every(({ ok }) => ok), ...seen };
  },
};

const ends = [];
const kept = (one, end = () => one.end()) => (ends.push(end), one);
let failed = 0;
try {
  const hub = kept(await trialHub({ transports: options.hub }));
  const site = kept(await trialSite(options.page));
  const browser = await trialBrowser(options);
  kept(browser, () => browser.close());
  for (const name of options.only?.split(",") ?? Object.keys(TRIALS)) {
    const page = await TrialPage.open(browser, site.url);
    const outcome = await TRIALS[name](page, hub[options.address]).catch((error) => ({ ok: false, error: error.message.split("\n")[0] }));
    const faults = await page.takeFaults();
    if (!outcome.ok || faults.length) failed += 1;
    process.stdout.write(`${JSON.stringify({ trial: name, ...outcome, faults })}\n`);
    await page.close();
  }
} finally {
  for (const end of ends.reverse()) await end();
}
process.exitCode = failed ? 1 : 0;
