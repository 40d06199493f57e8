// What a join does not show: many connections, many streams, streams that nobody reads. Chromium alone.
//
//   TRIAL_BIN=… TRIAL_PAGE=… node web/e2e/transports/stress.mjs --page ours|published|js --address ws|webrtc
//       [--hub ours|stock] [--nomangle] [--only cycles,streams,unread,bulk,farewell]

import { parseArgs } from "node:util";
import { until } from "../support/wait.mjs";
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
/** From the end of a hub until a page knows of it. */
const FAREWELL_MS = 3_000;
/** What may be alive after many connections, and once every patience has ended, that was not after a few. */
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
    let after;
    const released = async () => {
      after = await alive(page);
      return Object.entries(SLACK).every(([name, slack]) => after[name] - before[name] <= slack);
    };
    const ok = await until("everything is let go of", released).catch(() => false);
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
  /** A hub that closes its connections before it goes is not mourned until nobody has answered for long. */
  async farewell(page) {
    const hub = await trialHub({ transports: options.hub });
    try {
      const gone = page.call("watch", hub[options.address]);
      await Promise.race([page.call("watching"), gone]);
      const at = Date.now();
      await hub.end();
      const ms = (await gone).ms - at;
      return { ok: ms <= FAREWELL_MS, ms };
    } finally {
      await hub.process.kill();
    }
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
