// Connecting and hanging up many times: what stays behind, in the page and at the hub.

import { until } from "../../support/wait.mjs";
import { Series } from "../bench/series.mjs";
import { within } from "../bench/within.mjs";
import { alive } from "../alive.mjs";
import { openFiles, privateBytes, residence } from "./memory.mjs";
import { mib, row } from "./row.mjs";

/** What is made once has been made by then. */
export const WARM_CYCLES = 50;
export const CYCLES = 200;
const LIMIT_MS = 600_000;
/** What may be alive after many connections that was not after fewer; a browser lets go of some things late. */
const SLACK = { connections: 2, channels: 4, heap: 2 ** 20, wasm: 2 ** 20 };
const SHOWN = { connections: String, channels: String, heap: mib, wasm: mib };

/** All renderers' together: which of them is the page's nobody tells. */
async function renderers(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const all = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => privateBytes(id));
  return (await Promise.all(all)).reduce((sum, bytes) => sum + bytes, 0);
}

export async function cycles(ground, { transport, warm = WARM_CYCLES, count = CYCLES }) {
  const what = `${count} times connected and hung up on one page, ${transport}`;
  const hub = await ground.hub();
  const { pid } = hub.process.child;
  const browser = await ground.browser({});
  const page = await ground.page(browser);
  const files = { before: await openFiles(pid) };
  const memory = { before: (await residence(pid)).now };
  const series = new Series();
  const marks = [];
  // Each call stops at the first cycle that fails, so it counts as one run.
  for (const [n, times] of [warm, count - warm].entries()) {
    const outcome = await series.run(async () => {
      await within(LIMIT_MS, "all cycles end", () => page.call("cycles", hub[transport], times));
      return { faults: await page.takeFaults() };
    });
    ground.note(`${what}, part ${n + 1}`, outcome);
    if (outcome.error) break;
    marks.push({ ...(await alive(page)), renderers: await renderers(browser) });
  }
  const back = async () => (files.after = await openFiles(pid)) <= files.before;
  const closed = await until("the hub's files are closed", back).then(() => true, () => false);
  memory.after = (await residence(pid)).now;
  const [first, last] = marks;
  const grown = last && Object.fromEntries(Object.keys(last).map((name) => [name, last[name] - first[name]]));
  const kept = Boolean(grown) && Object.entries(SLACK).every(([name, slack]) => grown[name] <= slack);
  const held = Object.entries(SLACK).map(([name, slack]) => `${name} ≤ ${SHOWN[name](slack)}`);
  const told = grown ? Object.keys(SLACK).map((name) => `${name} ${SHOWN[name](grown[name])}`) : ["not measured"];
  const complaints = series.values(({ faults }) => faults).flat();
  const told200 = grown ? `; page's renderers, private: ${mib(first.renderers)} → ${mib(last.renderers)}` : "";
  return row(what, {
    series,
    figures: `hub's resident memory ${mib(memory.before)} → ${mib(memory.after)}${told200}`,
    hold: `from cycle ${warm} to ${count} the page grows by ${held.join(", ")}; the hub's open files return; nothing on the console`,
    got: `${told.join(", ")}; files ${files.before} → ${files.after}; ${complaints.length} on the console`,
    holds: kept && closed && complaints.length === 0 && marks.length === 2,
    failures: [...new Set(complaints)],
  });
}
