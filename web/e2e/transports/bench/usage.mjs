// What processes use, as Linux tells it.

import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs/promises";
import { createInterface } from "node:readline";
import { passed } from "../../support/wait.mjs";
import { within } from "./within.mjs";

/** Ticks of a second, as the kernel counts them for programs. */
const TICKS = Number(execFileSync("getconf", ["CLK_TCK"]));
/** Memory has settled when it stays within this share for so many looks. */
const SETTLED = { share: 0.01, looks: 8, everyMs: 250, withinMs: 30_000 };

/** Seconds of processor that a process has taken, of the user and of the system. */
export async function cpuSeconds(pid) {
  const stat = await fs.readFile(`/proc/${pid}/stat`, "utf8");
  // The second field is a name in brackets, with anything in it; the 14th and 15th are what is sought.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

async function residentBytes(pid) {
  const status = await fs.readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
}

/** What a process keeps in memory once that has stopped changing, or when no more time is given to it. */
export async function settledBytes(pid) {
  const looks = [];
  for (const end = performance.now() + SETTLED.withinMs; performance.now() < end; await passed(SETTLED.everyMs)) {
    looks.push(await residentBytes(pid));
    const last = looks.slice(-SETTLED.looks);
    if (last.length === SETTLED.looks && Math.max(...last) - Math.min(...last) <= SETTLED.share * Math.max(...last)) break;
  }
  return looks.at(-1);
}

/**
 * Runs a program to its end, within a bound. Answers the one line of JSON that it prints, and `cpu`, the seconds of
 * processor it took. The shell counts those: a process that has ended is no longer told of in /proc.
 */
export async function runToEnd(program, words, limitMs) {
  const timed = 'TIMEFORMAT="cpu %3U %3S"; time "$0" "$@"';
  const child = spawn("bash", ["-c", timed, program, ...words], { stdio: ["pipe", "pipe", "pipe"], detached: true });
  const lines = { stdout: [], stderr: [] };
  for (const [name, all] of Object.entries(lines)) createInterface({ input: child[name] }).on("line", (line) => all.push(line));
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  try {
    await within(limitMs, `${words.slice(0, 3).join(" ")} ends`, () => ended);
  } finally {
    if (child.exitCode === null) killGroup(child.pid);
  }
  const said = lines.stdout.find((line) => line.startsWith("{"));
  if (!said) throw new Error(`nothing was said but: ${lines.stderr.filter((line) => !line.startsWith("cpu ")).at(-1)}`);
  const outcome = JSON.parse(said);
  if (outcome.error) throw new Error(outcome.error);
  if (outcome.ok === false) throw new Error("the hash is wrong");
  const [, user, system] = lines.stderr.findLast((line) => line.startsWith("cpu ")).split(" ").map(Number);
  return { ...outcome, cpu: user + system };
}

function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error; // it has just ended
  }
}
