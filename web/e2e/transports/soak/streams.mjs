// Streams that nobody reads for a while, and very many short ones: from a page and natively.

import { runToEnd } from "../bench/usage.mjs";
import { Series } from "../bench/series.mjs";
import { within } from "../bench/within.mjs";
import { row, times } from "./row.mjs";

const LIMIT_MS = 600_000;
const MIB = 2 ** 20;
/** The second is what a stream may hold unread, without a little. */
export const UNREAD = [
  { name: "1 MiB", bytes: MIB },
  { name: "16 MiB − 1 KiB", bytes: 16 * MIB - 1024 },
];
export const STREAMS = { count: 2000, atOnce: 100 };
const COMPLAINED = "nothing on the console";

/** Who dials: `(call, address, ...words) → outcome`. */
export const PLACES = {
  page: async (ground) => {
    const page = await ground.page(await ground.browser({}));
    return async (call, ...words) => {
      const outcome = await within(LIMIT_MS, `${call} ends`, () => page.call(call, ...words));
      const faults = await page.takeFaults();
      if (faults.length) throw new Error(faults.join(" | "));
      return outcome;
    };
  },
  native: async (ground) => (call, ...words) => {
    const { program, missing } = ground.programs.ours;
    if (missing) throw new Error(missing);
    return runToEnd(program, ["peer", call, ...words.map(String)], LIMIT_MS);
  },
};
const held = (place, what) => (place === "page" ? `${what}, ${COMPLAINED}` : what);

export async function unread(ground, { place, transport, name, bytes, count }) {
  const what = `${name} unread, ${place}, ${transport}`;
  const hub = await ground.hub();
  const call = await PLACES[place](ground);
  const series = new Series();
  for (let n = 0; n < count; n++) {
    const outcome = await series.run(async () => {
      const { ok } = await call("unread", hub[transport], bytes);
      if (!ok) throw new Error("the hash is wrong");
      return { ok };
    });
    ground.note(`${what} ${n + 1}`, outcome);
  }
  return row(what, { series, hold: held(place, "all whole, none reset") });
}

export async function streams(ground, { place, transport, count, atOnce }) {
  const what = `${count} short streams on one connection, ${atOnce} at once, ${place}, ${transport}`;
  const hub = await ground.hub();
  const call = await PLACES[place](ground);
  const series = new Series();
  const begun = performance.now();
  const outcome = await series.run(() => call("streams", hub[transport], count, atOnce));
  const took = performance.now() - begun;
  ground.note(what, outcome);
  const ok = outcome.ok ?? 0;
  const failures = outcome.failed ? [`${outcome.failed} of ${count} streams: ${outcome.why ?? "no reason given"}`] : [];
  return {
    ...row(what, {
      series,
      hold: held(place, "all echoed"),
      got: `${ok} of ${count}`,
      holds: ok === count,
      figures: times("all of them", [took]).replace(/ median (\S+),.*/, " $1 ms"),
      failures,
    }),
    count,
    ok,
  };
}
