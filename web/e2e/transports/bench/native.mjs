// What native peers need to dial, to move bytes and to stay.

import { Process } from "../../support/child.mjs";
import { DIRECTIONS, PINGS, TRANSPORTS } from "./pages.mjs";
import { startHub } from "./programs.mjs";
import { Series } from "./series.mjs";
import { cpuSeconds, runToEnd, settledBytes } from "./usage.mjs";

/** Who dials whom. Of the Rust program both kinds have the same WebSocket. */
export const PAIRS = [
  { dialer: "ours", listener: "ours", transports: TRANSPORTS },
  { dialer: "stock", listener: "stock", transports: ["webrtc"] },
  { dialer: "go", listener: "go", transports: TRANSPORTS },
  { dialer: "go", listener: "ours", transports: TRANSPORTS },
];
const JOIN_LIMIT_MS = 30_000;
const BULK_LIMIT_MS = 300_000;
/** Until all idle connections stand. */
const IDLE_LIMIT_MS = 120_000;
/** Moved to learn what processor a run takes besides the bytes. */
const HARDLY_ANY = 1;

/** Answers one object for each pair and transport, with a series of each kind of run. */
export async function measureNative({ programs, joins, bulks, bytes, idle, note }) {
  const all = PAIRS.flatMap((pair) => pair.transports.map((transport) => ({ ...pair, transport })));
  for (const one of all) {
    Object.assign(one, { join: new Series(), idle: new Series() });
    for (const direction of DIRECTIONS) one[direction] = new Series();
    for (const direction of DIRECTIONS) one[`${direction} empty`] = new Series();
  }
  const hubs = new Hubs(programs);
  const run = async (one, what, act) => {
    const outcome = await one[what].run(async () => act(programs[one.dialer], await hubs.get(one.listener)));
    note(`native, ${one.dialer} → ${one.listener}, ${one.transport}, ${what} ${one[what].runs}`, outcome);
  };
  try {
    for (let n = 0; n < Math.max(joins, bulks); n++) {
      for (const one of n % 2 ? [...all].reverse() : all) {
        const join = (dialer, hub) => asked(dialer, dialer.join(hub[one.transport], PINGS), JOIN_LIMIT_MS);
        if (n < joins) await run(one, "join", join);
        if (n >= bulks) continue;
        for (const direction of DIRECTIONS) {
          await run(one, direction, (dialer, hub) => moved(dialer, hub, one.transport, direction, bytes));
          await run(one, `${direction} empty`, (dialer, hub) => moved(dialer, hub, one.transport, direction, HARDLY_ANY));
        }
      }
    }
  } finally {
    await hubs.end();
  }
  for (const one of all.filter(({ dialer, listener }) => dialer === listener)) {
    const outcome = await one.idle.run(() => held(programs[one.dialer], one, idle));
    note(`native, ${one.dialer}, ${one.transport}, idle`, outcome);
  }
  return all;
}

/** One hub of each kind, started again when it fell. */
class Hubs {
  #known = {};

  constructor(programs) {
    this.programs = programs;
  }

  async get(name) {
    if (this.#known[name]?.process.ended) delete this.#known[name];
    return (this.#known[name] ??= await startHub(name, this.programs[name]));
  }

  end() {
    return Promise.all(Object.values(this.#known).map((hub) => hub.end()));
  }
}

function asked(dialer, words, limitMs) {
  if (dialer.missing) throw new Error(dialer.missing);
  return runToEnd(dialer.program, words, limitMs);
}

/** `cpu` is what both ends took. */
async function moved(dialer, hub, transport, direction, bytes) {
  const { pid } = hub.process.child;
  const before = await cpuSeconds(pid);
  const outcome = await asked(dialer, dialer.bulk(hub[transport], direction, bytes), BULK_LIMIT_MS);
  return { ...outcome, cpu: outcome.cpu + (await cpuSeconds(pid)) - before };
}

/** What a hub of its own keeps in memory for each connection that only stands. */
async function held(dialer, { listener, transport }, count) {
  if (dialer.missing) throw new Error(dialer.missing);
  const hub = await startHub(listener, dialer);
  let holder;
  try {
    const before = await settledBytes(hub.process.child.pid);
    holder = new Process(`${listener} idle`, dialer.program, dialer.idle(hub[transport], count));
    await Promise.race([
      holder.line(/^\{/, { within: IDLE_LIMIT_MS }),
      holder.exit.then(() => Promise.reject(new Error(`who holds connections ended: ${holder.err.at(-1)}`))),
    ]);
    return { perConnection: ((await settledBytes(hub.process.child.pid)) - before) / count };
  } finally {
    await holder?.kill();
    await hub.end();
  }
}

/** Seconds of processor for each GiB, of both ends, without what a run takes that moves nothing. */
export function cpuPerGiB(one, direction, bytes) {
  const mean = (series) => {
    const values = series.values(({ cpu }) => cpu);
    return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;
  };
  const [full, empty] = [mean(one[direction]), mean(one[`${direction} empty`])];
  return full === undefined || empty === undefined ? undefined : ((full - empty) * 2 ** 30) / bytes;
}
