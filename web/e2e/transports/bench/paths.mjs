// The paths that a bench measures over.

import { LOSS, RTT_MS } from "../proxy.mjs";

/** By name: what the path adds to a round trip and the share that it loses each way; nothing for loopback as it is. */
export const PATHS = {
  loopback: undefined,
  "20ms": { rttMs: 20, loss: 0 },
  "50ms": { rttMs: 50, loss: 0 },
  "100ms": { rttMs: 100, loss: 0 },
  lossy: { rttMs: RTT_MS, loss: LOSS },
};

/** Paths between native programs, of which each run is a process. */
export const NATIVE_PATHS = ["loopback", "50ms", "lossy"];

/** How each is called in a table. */
export const PATH_NAMES = {
  loopback: "Loopback",
  "20ms": "20 ms",
  "50ms": "50 ms",
  "100ms": "100 ms",
  lossy: `${RTT_MS} ms, ${LOSS * 100} % lost`,
};

/** How many runs each path gets and of how many bytes, by its length: `{ joins, bulks, bytes }`. */
export function runsOf(path, { loopback, far, lossy }) {
  if (path === "loopback") return loopback;
  return path === "lossy" ? lossy : far;
}

/** Whether a row was asked for: its name has all these words. No words ask for all. */
export const wanted = (words) => (row) => words.every((word) => row.split(" ").includes(word));
