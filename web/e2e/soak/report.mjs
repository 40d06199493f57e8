// What a soak found, as a page of Markdown.

import { AUTHOR_STAYS_MS, NOT_CHECKED, count } from "./checker.mjs";
import { seconds } from "./times.mjs";
import { sentence } from "./violation.mjs";

/** Violations and faults listed one by one. */
const LISTED = 50;
/** Kinds of violations, as columns of the summary. */
const KINDS = { lost: "lost", late: "late", doubled: "doubled", disordered: "out of order" };
/** Kinds that no column is made for. */
const STRANGE = ["misattributed", "unknown"];

/** Whether anything was wrong with a part. */
export const isClean = ({ result, record, consoleErrors }) =>
  result.violations.length + record.faults.length + consoleErrors.length === 0;

export function report(runs, settings) {
  const { outages, visits } = runs;
  const parts = [
    "# Soak of sessions",
    [
      `Made by \`${settings.command}\`. Pages are Chromium's, terminals are \`tincan chat\`, each part has a hub and a`,
      "room of its own; both parts run at the same time unless `--only` names one.",
    ].join("\n"),
    summary(runs),
    pairs(settings.margin),
  ];
  if (outages) parts.push(...aboutOutages(outages, settings));
  if (visits) parts.push(...aboutVisits(visits, settings));
  for (const run of Object.values(runs)) parts.push(...wrong(run));
  return `${parts.join("\n\n")}\n`;
}

function summary(runs) {
  const head = ["part", "lines said", "pairs checked", ...Object.values(KINDS), "other faults", "console errors"];
  const rows = Object.entries(runs).map(([name, { record, result, consoleErrors }]) => [
    name,
    record.lines.length,
    result.pairs,
    ...Object.keys(KINDS).map((kind) => count(result, kind)),
    record.faults.length + STRANGE.reduce((sum, kind) => sum + count(result, kind), 0),
    consoleErrors.length,
  ]);
  return table(head, rows);
}

function pairs(margin) {
  return [
    "A pair is a line and somebody's visit. It is checked when that somebody, not the author, was in the room and online",
    `from before the line was said until it was due: ${margin / 1000} s after it was said, or after the hub's return when`,
    "the hub was down, or went down, within that time. Then the line has to be there once (else it is lost, or late when",
    "it came after it was due), and not out of its author's order. A line is checked when its author stayed",
    `${AUTHOR_STAYS_MS / 1000} s after it, ended its input and exited with 0, or saw it as sent and left the room only.`,
    "Lines seen twice or out of order count whether the pair is checked or not; a page that is loaded anew or joins again,",
    "and a terminal that starts anew, begin a new visit. On a page the order is that of the screen.",
  ].join("\n");
}

function aboutOutages({ record, result, rounds, memory }, { down }) {
  const all = rounds.flatMap((round) => round.returns);
  const spread = ["page", "terminal", "all"].map((who) => [
    who,
    ...spreadOf(all.filter(({ kind }) => who === "all" || kind === who).map(({ ms }) => ms)),
  ]);
  const each = rounds.map((round, i) => [
    i + 1,
    seconds(round.back - round.killed),
    seconds(Math.max(...round.returns.map(({ ms }) => ms))),
    seconds(round.everywhere ?? Infinity),
    mebibytes(round.before.now),
  ]);
  return [
    "## Outages",
    [
      `Outages of ${down / 1000} s, in which the hub was killed with SIGKILL: ${rounds.length}. ${members(record)} stayed.`,
      "Lines were said before, while the hub died, while it was down, as it returned, and after.",
    ].join("\n"),
    checked(result),
    "From the hub's listening until a member was online in the room again, in seconds:",
    table(["who", "times", "p50", "p99", "max"], spread),
    [
      "Each outage: how long the hub was down, the times from its listening again, in seconds, and the hub's resident",
      "memory before it was killed:",
    ].join("\n"),
    table(["outage", "down", "all online after", "all lines everywhere after", "hub, MiB"], each),
    `Resident memory of the hub: ${mebibytes(memory.start)} MiB at the start, ${mebibytes(memory.end)} MiB at the end.`,
  ];
}

function aboutVisits({ record, result, comings, memory }, { minutes, seed }) {
  const endings = new Map();
  for (const { kind, ending } of record.visits) {
    const way = `${kind}: ${ending?.how ?? "stayed until the end"}`;
    endings.set(way, (endings.get(way) ?? 0) + 1);
  }
  const identities = new Set(record.visits.map(({ member }) => member)).size;
  const spread = ["page", "terminal"].map((kind) => [
    kind,
    ...spreadOf(comings.filter((coming) => coming.kind === kind).map(({ ms }) => ms)),
  ]);
  const typed = record.lines.filter(({ shown }) => shown !== undefined).map(({ shown, at }) => shown - at);
  return [
    "## Visits",
    [
      `For ${minutes} min, by the schedule of seed ${seed}, ${identities} identities paid ${record.visits.length} visits:`,
      `${members(record)}.`,
    ].join("\n"),
    table(["how visits ended", "times"], [...endings].sort()),
    checked(result),
    "From opening the page, joining again, or starting the terminal until online in the room, in seconds:",
    table(["who", "times", "p50", "p99", "max"], spread),
    [
      "From a line's being typed until a page had it on its own screen, and from there, or from a terminal's input, until",
      "it was seen by somebody else, over all checked pairs, in seconds:",
    ].join("\n"),
    table(["what", "times", "p50", "p99", "max"], [
      ["typed, then on one's own page", ...spreadOf(typed)],
      ["said, then seen by another", ...spreadOf(result.delays)],
    ]),
    [
      `Resident memory of the hub: ${mebibytes(memory.start)} MiB at the start, ${mebibytes(memory.end)} MiB at the end,`,
      `${mebibytes(memory.peak)} MiB at most.`,
    ].join("\n"),
  ];
}

function members({ visits }) {
  const names = (kind) => new Set(visits.filter((visit) => visit.kind === kind).map(({ member }) => member)).size;
  return `${names("page")} pages and ${names("terminal")} terminals`;
}

function checked({ pairs, linesChecked, linesExcused, notChecked, inserted, gaps }) {
  const reasons = Object.entries(notChecked).map(([reason, times]) => `${times} because ${NOT_CHECKED[reason]}`);
  return [
    `${linesChecked} lines are checked, in ${pairs} pairs; ${linesExcused} are not, since their author went too soon.`,
    `Pairs of checked lines that are not checked: ${reasons.join(", ") || "none"}.`,
    `Times that somebody who stayed was not online although the hub was up, which excuses no line: ${gaps.length}.`,
    `Lines that came onto a page's screen after a later one of their author, and took their place above it: ${inserted}.`,
  ].join("\n");
}

function wrong({ record, result, consoleErrors }) {
  const all = [
    ...result.violations.map(sentence),
    ...record.faults.map(({ who, what }) => `FAULT: ${who}: ${what.split("\n")[0]}`),
    ...consoleErrors.map((error) => `CONSOLE: ${error}`),
  ];
  if (all.length === 0) return [];
  const more = all.length - LISTED;
  const list = all.slice(0, LISTED).map((one) => `- ${one}`);
  return [`## What went wrong: ${record.name}`, [...list, ...(more > 0 ? [`- and ${more} more`] : [])].join("\n")];
}

function spreadOf(numbers) {
  if (numbers.length === 0) return [0, "", "", ""];
  const sorted = [...numbers].sort((a, b) => a - b);
  const rank = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return [sorted.length, ...[rank(0.5), rank(0.99), sorted.at(-1)].map(seconds)];
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const mebibytes = (bytes) => (Number.isFinite(bytes) ? (bytes / 2 ** 20).toFixed(1) : "unknown");
