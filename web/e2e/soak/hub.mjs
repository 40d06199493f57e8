// What a soak needs of a hub besides its running: ports that nobody takes meanwhile, its diary, its memory.

import fs from "node:fs/promises";
import { freePorts } from "../support/wait.mjs";

/** Ports from here on are looked at, below those that systems hand out to whoever connects somewhere. */
const FIRST_PORT = 10_000;
const LAST_PORT = 30_000;
const KIB = 1024;

/** A hub in the record's diaries, on ports that stay its own while it is down. */
export async function recordedHub(stage, record) {
  const hub = await stage.hub({ ports: await freePorts(4, [FIRST_PORT, LAST_PORT]) });
  hub.onLine = (line) => record.note("hub", line);
  hub.process.out.concat(hub.process.err).forEach(hub.onLine);
  hub.process.onLine = hub.onLine;
  return hub;
}

/** Bytes of memory a hub's process has resident now, and had at most. Unknown where there is no /proc. */
export async function memory(hub) {
  const status = await fs.readFile(`/proc/${hub.process.child.pid}/status`, "utf8").catch(() => "");
  const kib = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))?.[1] ?? NaN);
  return { now: kib("VmRSS") * KIB, peak: kib("VmHWM") * KIB };
}
