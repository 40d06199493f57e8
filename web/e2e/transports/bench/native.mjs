// What native peers need to dial, to move bytes and to stay.

import { Process } from "../../support/child.mjs";
import { DIRECTIONS, PINGS, TRANSPORTS } from "./pages.mjs";
import { NATIVE_PATHS, runsOf } from "./paths.mjs";
import { Places } from "./place.mjs";
import { startHub } from "./programs.mjs";
import { Series } from "./series.mjs";
import { cpuSeconds, runToEnd, settledBytes } from "./usage.mjs";

/** Who dials whom. Of the Rust program both kinds have the same WebSocket. */
export const PAIRS = [
  { dialer: "ours", listener: "ours", transports: TRANSPORTS },
  { dialer: "stock", listener: "stock", transports: ["webrtc"] },
  { dialer: "go", listener: "go", transports: TRANSPORTS },
  { dialer: "go", listener: "ours", transports: TRANSPORTS },
  { dialer: "ours", listener: "go", transports: TRANSPORTS },
  { dialer: "ours", listener: "stock", transports: ["webrtc"] },
  { dialer: "stock", listener: "ours", transports: ["webrtc"] },
];
const JOIN_LIMIT_MS = 30_000;
const BULK_LIMIT_MS = 300_000;
/** Until all idle connections stand. */
const IDLE_LIMIT_MS = 120_000;
/** Moved to learn what processor a run takes besides the bytes. */
const HARDLY_ANY = 1;

/** Every row that was asked for: path, transport and pair, with a series of each kind of run that was. */
export function nativeRows(asked) {
  const all = NATIVE_PATHS.flatMap((path) =>
    PAIRS.flatMap(({ dialer, listener, transports }) =>
      transports.map((transport) => ({ path, transport, dialer, listener })),
    ),
  );
  for (const row of all) {
    const { path, transport, dialer, listener } = row;
    const idle = path === "loopback" && dialer === listener ? ["idle"] : [];
    const kinds = ["join", ...DIRECTIONS, ...idle].filter((kind) =>
      asked(`native ${path} ${transport} ${dialer}-${listener} ${kind}`),
    );
    for (const kind of kinds) row[kind] = new Series();
    if (path !== "loopback") continue;
    for (const direction of DIRECTIONS.filter((one) => kinds.includes(one))) row[`${direction} empty`] = new Series();
  }
  return all.filter((row) => ["join", ...DIRECTIONS, "idle"].some((kind) => row[kind]));
}

/** Fills the rows. `runs` says how often for each kind of path. */
export async function measureNative(all, { programs, runs, idle, note }) {
  const places = new Places(programs);
  const run = async (row, what, act) => {
    if (!row[what]) return;
    const { path, transport, dialer, listener } = row;
    const outcome = await row[what].run(async () => act(programs[dialer], await places.reached(listener, path)));
    note(`native, ${path}, ${transport}, ${dialer} → ${listener}, ${what} ${row[what].runs}`, outcome);
  };
  try {
    for (const path of NATIVE_PATHS) {
      const { joins, bulks, bytes } = runsOf(path, runs);
      const here = all.filter((row) => row.path === path);
      for (let n = 0; n < Math.max(joins, bulks); n++) {
        for (const row of n % 2 ? [...here].reverse() : here) {
          const join = (dialer, hub) => asking(dialer, dialer.join(hub[row.transport], PINGS), JOIN_LIMIT_MS);
          if (n < joins) await run(row, "join", join);
          if (n >= bulks) continue;
          for (const direction of DIRECTIONS) {
            await run(row, direction, (dialer, hub) => moved(dialer, hub, row.transport, direction, bytes));
            await run(row, `${direction} empty`, (dialer, hub) => moved(dialer, hub, row.transport, direction, HARDLY_ANY));
          }
        }
      }
    }
  } finally {
    await places.end();
  }
  for (const row of all.filter((row) => row.idle)) {
    const outcome = await row.idle.run(() => held(programs[row.dialer], row, idle));
    note(`native, ${row.transport}, ${row.dialer}, idle`, outcome);
  }
}

function asking(dialer, words, limitMs) {
  if (dialer.missing) throw new Error(dialer.missing);
  return runToEnd(dialer.program, words, limitMs);
}

/** `cpu` is what both ends took. */
async function moved(dialer, hub, transport, direction, bytes) {
  const { pid } = hub.process.child;
  const before = await cpuSeconds(pid);
  const outcome = await asking(dialer, dialer.bulk(hub[transport], direction, bytes), BULK_LIMIT_MS);
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
  if (!one[direction] || !one[`${direction} empty`]) return undefined;
  const [full, empty] = [mean(one[direction]), mean(one[`${direction} empty`])];
  return full === undefined || empty === undefined ? undefined : ((full - empty) * 2 ** 30) / bytes;
}
