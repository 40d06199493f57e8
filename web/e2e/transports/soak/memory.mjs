// What processes hold open and in memory, as Linux tells it.

import fs from "node:fs/promises";

const KIB = 1024;
/** Written to `clear_refs`: the highest resident memory is counted anew. */
const FORGET_PEAK = "5";

const kib = (name, text) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? Number.NaN) * KIB;

/** Bytes that are resident now, and at most since {@link forgetPeak}. */
export async function residence(pid) {
  const status = await fs.readFile(`/proc/${pid}/status`, "utf8");
  return { now: kib("VmRSS", status), peak: kib("VmHWM", status) };
}

export const forgetPeak = (pid) => fs.writeFile(`/proc/${pid}/clear_refs`, FORGET_PEAK);

export const openFiles = async (pid) => (await fs.readdir(`/proc/${pid}/fd`)).length;

/** Bytes that are of no use to any other process. */
export async function privateBytes(pid) {
  const rollup = await fs.readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  return kib("Private_Clean", rollup) + kib("Private_Dirty", rollup);
}
