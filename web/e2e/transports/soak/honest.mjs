// Honest peers that join one after the other while something else goes on, in a few processes at once.

import { Process } from "../../support/child.mjs";

/** Joins that one process makes before another takes its place. */
const BATCH = 25;
/** A join ends itself after 10 s; a batch in which every one does is still in time. */
const BATCH_LIMIT_MS = BATCH * 15_000;

/** Answers every join of all lanes, in no order: `{ begun, ended, total }` or `{ begun, ended, error }`. */
export async function joinsWhile(goesOn, { program, address, lanes }) {
  const all = [];
  const lane = async () => {
    while (goesOn(all.length)) all.push(...(await batch(program, address)));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return all;
}

async function batch(program, address) {
  const made = [];
  let last = performance.now();
  const peer = new Process("honest peers", program, ["peer", "join", address, "--count", `${BATCH}`]);
  peer.onLine = (line, stream) => {
    if (stream !== "out" || !line.startsWith("{")) return;
    const ended = performance.now();
    made.push({ begun: last, ended, ...JSON.parse(line) });
    last = ended;
  };
  const late = setTimeout(() => peer.kill(), BATCH_LIMIT_MS);
  await peer.exit;
  clearTimeout(late);
  // What a process that fell did not try is what it failed at.
  const error = `its process ended: ${peer.err.at(-1) ?? JSON.stringify(peer.ended)}`;
  while (made.length < BATCH) made.push({ begun: last, ended: performance.now(), error });
  return made;
}
