// A hub that is killed: how long until a page knows.

import { Series } from "../bench/series.mjs";
import { within } from "../bench/within.mjs";
import { row, times } from "./row.mjs";

/** The kernel closes a killed hub's TCP connections; over UDP nothing is told, and silence has to say it. */
export const KNOWN_WITHIN_MS = { ws: 1000, webrtc: 15_000 };
const CONNECTED_LIMIT_MS = 30_000;
/** A page that knows late is told of with its time, one that never knows fails. */
const LIMIT_MS = 60_000;

async function once(ground, page, transport) {
  const hub = await ground.hub();
  const gone = page.call("watch", hub[transport]);
  await within(CONNECTED_LIMIT_MS, "the page is connected", () => Promise.race([page.call("watching"), gone]));
  const killed = Date.now();
  hub.process.kill();
  const { ms } = await within(LIMIT_MS, "the page knows that the hub is gone", () => gone);
  if (ms < killed) throw new Error("the connection was gone before the hub was killed");
  return { ms: ms - killed };
}

export async function kills(ground, { transport, count }) {
  const within = KNOWN_WITHIN_MS[transport];
  const what = `the hub killed by SIGKILL, known in the page, ${transport}`;
  const page = await ground.page(await ground.browser({}));
  const series = new Series();
  for (let n = 0; n < count; n++) ground.note(`${what} ${n + 1}`, await series.run(() => once(ground, page, transport)));
  const known = series.values(({ ms }) => ms);
  const inTime = known.filter((ms) => ms <= within).length;
  return row(what, {
    series,
    figures: times("known after", known),
    hold: `all within ${within} ms`,
    got: `${inTime} of ${series.runs} within`,
    holds: inTime === series.runs && series.runs > 0,
  });
}
