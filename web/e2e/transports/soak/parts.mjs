// Everything that a soak of transports does, in order: each a title, and what makes its rows.

import { TRANSPORTS } from "../bench/pages.mjs";
import { CYCLES, WARM_CYCLES, cycles } from "./cycles.mjs";
import { FLOOD, flood } from "./flood.mjs";
import { NATIVE_JOINS, PAGE_JOINS, nativeJoins, pageJoins } from "./joins.mjs";
import { kills } from "./kills.mjs";
import { PLACES, STREAMS, UNREAD, streams, unread } from "./streams.mjs";

const UNREAD_TIMES = 5;
const KILLS = 10;
/** Fewer joins under a flood would have no percentile. */
const LEAST_JOINS = 20;

const everywhere = (make) => TRANSPORTS.flatMap((transport) => Object.keys(PLACES).map((place) => make({ place, transport })));

/** `scale` is a factor for every count. */
export function parts(scale) {
  const scaled = (count, least = 1) => Math.max(least, Math.round(count * scale));
  const counted = (one) => ({ ...one, count: scaled(one.count) });
  return {
    joins: [
      ...PAGE_JOINS.map((one) => (ground) => pageJoins(ground, counted(one))),
      ...NATIVE_JOINS.map((one) => (ground) => nativeJoins(ground, counted(one))),
    ],
    cycles: TRANSPORTS.map(
      (transport) => (ground) => cycles(ground, { transport, warm: scaled(WARM_CYCLES, 5), count: scaled(CYCLES, 20) }),
    ),
    streams: [
      ...UNREAD.flatMap((size) =>
        everywhere((where) => (ground) => unread(ground, { ...where, ...size, count: scaled(UNREAD_TIMES) })),
      ),
      ...everywhere((where) => (ground) => {
        const count = scaled(STREAMS.count);
        return streams(ground, { ...where, count, atOnce: Math.min(STREAMS.atOnce, count) });
      }),
    ],
    kills: TRANSPORTS.map((transport) => (ground) => kills(ground, { transport, count: scaled(KILLS) })),
    flood: [
      (ground) => {
        const joins = (count) => scaled(count, LEAST_JOINS);
        const floods = FLOOD.floods.map((one) => ({ ...one, honest: joins(one.honest) }));
        const pages = { ...FLOOD.pages, count: joins(FLOOD.pages.count) };
        return flood(ground, { ...FLOOD, baseline: joins(FLOOD.baseline), floods, pages });
      },
    ],
  };
}
export const PARTS = Object.keys(parts(1));
