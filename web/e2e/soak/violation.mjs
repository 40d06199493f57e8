// A violation in full: the line, who said it, who should have seen it, and what both lived through around it.

import { clock } from "./times.mjs";

/** How much of the diaries is told, before the line was said and after it was due or seen. */
const AROUND_MS = 15_000;
/** Entries of one diary that are told. */
const MOST_ENTRIES = 120;
/** Characters of one entry that are told. */
const MOST_CHARS = 400;

/** What a violation is, in one line. */
export function sentence({ kind, line, visit, until, seen }) {
  const who = `${visit.member} (visit ${visit.number})`;
  switch (kind) {
    case "lost":
      return `LOST: ${line.text} was due at ${clock(until)} and ${who} never saw it`;
    case "late":
      return `LATE: ${line.text} was due at ${clock(until)} and ${who} saw it at ${clock(seen.at)}`;
    case "doubled":
      return `DOUBLED: ${who} saw ${line.text} again at ${clock(seen.at)}`;
    case "disordered":
      return `OUT OF ORDER: ${who} saw ${line.text} at ${clock(seen.at)} below ${seen.above} and above ${seen.below}`;
    case "misattributed":
      return `MISATTRIBUTED: ${who} saw ${line.text} as of ${seen.from}; its author is ${line.visit.peer}`;
    default:
      return `UNKNOWN: ${who} saw what nobody said: ${JSON.stringify(seen.text)} of ${seen.from}`;
  }
}

/** The line, its author's and its receiver's diaries around it, the hub's, and who else saw it when. */
export function story(record, violation) {
  const { line, visit, until, seen } = violation;
  const parts = [sentence(violation)];
  if (line) {
    parts.push(`said ${clock(line.at)} to ${clock(line.by)}, shown as sent ${line.sent ? clock(line.sent) : "never"}`);
    const others = record.visits.flatMap((other) => {
      const times = other.seen.filter(({ text }) => text === line.text);
      return times.map(({ at }) => `${other.member}/${other.number} ${clock(at)}`);
    });
    parts.push(`seen by: ${others.join(", ") || "nobody"}`);
  }
  const people = line ? [line.author, visit.member] : [visit.member];
  return [...parts, ...diaries(record, people, [line?.at, line?.by, line?.sent, until, seen?.at])].join("\n");
}

/** The diaries of some, and the hub's, around these times. */
function diaries(record, people, times) {
  const known = times.filter((at) => at !== undefined);
  const [from, to] = [Math.min(...known) - AROUND_MS, Math.max(...known) + AROUND_MS];
  return [...new Set([...people, "hub"])].flatMap((who) => {
    const entries = record.diary(who, from, to).map(({ at, what }) => `    ${clock(at)} ${what.slice(0, MOST_CHARS)}`);
    const left = entries.length - MOST_ENTRIES;
    return [`  ${who}:`, ...entries.slice(0, MOST_ENTRIES), ...(left > 0 ? [`    and ${left} more`] : [])];
  });
}

/** Somebody was not online though nobody took the hub away. */
function gapStory(record, { visit, from, to }) {
  const told = `${visit.member} (visit ${visit.number}) was not online from ${clock(from)} to ${to ? clock(to) : "now"}`;
  return [`GAP: ${told}`, ...diaries(record, [visit.member], [from, to])].join("\n");
}

/** Tells what was not told yet of a result, and of the record's faults. */
export function tell(run, result, say) {
  for (const fault of run.record.faults.slice(run.faultsTold ?? 0)) {
    say(`${run.record.name}: FAULT at ${clock(fault.at)}: ${fault.who}: ${fault.what}`);
  }
  run.faultsTold = run.record.faults.length;
  const once = (name, what) => {
    if (run.told.has(name)) return;
    run.told.add(name);
    say(`${run.record.name}: ${what()}`);
  };
  for (const gap of result.gaps) once(`${gap.visit.member} ${gap.from}`, () => gapStory(run.record, gap));
  for (const violation of result.violations) once(sentence(violation), () => story(run.record, violation));
}
