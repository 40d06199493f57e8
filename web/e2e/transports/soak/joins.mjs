// Joins: who dials whom, by which version and from which browser, over and over.

import { runToEnd } from "../bench/usage.mjs";
import { Series } from "../bench/series.mjs";
import { within } from "../bench/within.mjs";
import { doorway } from "../doorway.mjs";
import { row, times } from "./row.mjs";

/** A join ends itself after 10 s; closing and what the console has to say come on top. */
const LIMIT_MS = 30_000;

export const PAGE_JOINS = [
  { what: "our page → our hub, webrtc-direct, Chromium as it is", transport: "webrtc", browser: {}, count: 100 },
  { what: "our page → our hub, webrtc-direct, Chromium with NoSdpMangleUfrag", transport: "webrtc", browser: { nomangle: true }, count: 100 },
  // Not our page: what it leaves on the console is told and not held.
  { what: "js-libp2p page → our hub, webrtc-direct v1", page: "js", transport: "webrtc", browser: {}, count: 50, quiet: false },
  { what: "our page → our hub, ws, Firefox", transport: "ws", browser: { firefox: true }, count: 20 },
  { what: "our page → our hub, webrtc-direct, Firefox", transport: "webrtc", browser: { firefox: true }, count: 20 },
];

export const NATIVE_JOINS = [
  { dialer: "go", hub: "ours", version: 1, count: 50 },
  { dialer: "go", hub: "ours", version: 2, count: 50 },
  { dialer: "ours", hub: "go", version: 1, count: 50 },
  { dialer: "ours", hub: "go", version: 2, count: 50 },
  { dialer: "stock", hub: "ours", version: 1, count: 50 },
  { dialer: "ours", hub: "stock", version: 1, count: 50 },
];
export const NAMES = { ours: "our native peer", stock: "rust-libp2p as published", go: "go-libp2p" };

const figures = (series) =>
  [times("dial", series.values(({ dial }) => dial)), times("join", series.values(({ total }) => total))].filter(Boolean).join("; ");

/** One page, a fresh node each time. With `quiet`, who leaves an error or a warning on the console has failed. */
export async function pageJoins(ground, { what, page: kind = "ours", transport, browser: options, count, quiet = true }) {
  const series = new Series();
  const hub = await ground.hub();
  const browser = await ground.browser(options);
  const page = await ground.page(browser, kind);
  let address = hub[transport];
  if (options.firefox && transport === "webrtc") address = ground.kept(await doorway(address)).address;
  for (let n = 0; n < count; n++) {
    const outcome = await series.run(async () => {
      const [joined] = await Promise.allSettled([within(LIMIT_MS, "join ends", () => page.call("join", address))]);
      const faults = await page.takeFaults();
      if (joined.status === "rejected") throw joined.reason;
      if (quiet && faults.length) throw new Error(`joined, but ${faults.join(" | ")}`);
      return { ...joined.value, faults };
    });
    ground.note(`${what} ${n + 1}`, outcome);
  }
  const complained = quiet ? "" : `; ${series.faulty} complained on the console`;
  return row(what, { series, figures: `${figures(series)}${complained}`, hold: quiet ? "all, nothing on the console" : "all" });
}

/** A process for each join. */
export async function nativeJoins(ground, { dialer, hub: listener, version, count }) {
  const what = `${NAMES[dialer]} → ${NAMES[listener].replace("our native peer", "our hub")}, webrtc-direct v${version}`;
  const series = new Series();
  const { program, missing, join } = ground.programs[dialer];
  const hub = await ground.hub(listener);
  for (let n = 0; n < count; n++) {
    const outcome = await series.run(() => {
      if (missing) throw new Error(missing);
      return runToEnd(program, [...join(hub.webrtc, 1), "--version", `${version}`], LIMIT_MS);
    });
    ground.note(`${what} ${n + 1}`, outcome);
  }
  return row(what, { series, figures: figures(series) });
}
