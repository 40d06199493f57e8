// Judges a record: which line had to reach whom, and whether it did, once, and in its author's order.
//
// A pair (line, visit) is checked when somebody other than the author was in the room and online from before the
// line was said until it was due: a margin after it was said, or after the hub's return when the hub was or went
// down within that margin. The line itself has to be one that its author had time to get rid of, see `gotRidOf`.

/** How long an author has to stay after a line, unless the way it goes promises that the line has left. */
export const AUTHOR_STAYS_MS = 5_000;

/** Beyond it, what would come twice or late shows too. */
const SPARE_MS = 1_000;

/** How long everybody stays after the last line, so that it is checked like any other. */
export const settling = (margin) => Math.max(margin, AUTHOR_STAYS_MS) + SPARE_MS;

/** Why pairs or lines are not checked, in words for the report. */
export const NOT_CHECKED = {
  came: "somebody came between its being said and its being due",
  went: "somebody went between its being said and its being due",
  early: "the line is not yet due",
};

/** Until when a line has to be everywhere. Unset while the hub is down. */
export function due(line, { margin, outages = [] }) {
  const hit = outages.find(({ killed, back }) => line.by + margin >= killed && line.at <= (back ?? Infinity));
  if (!hit) return line.by + margin;
  return hit.back === undefined ? undefined : Math.max(line.by, hit.back) + margin;
}

/** Whether nothing that its author did afterwards excuses a line's loss. */
export function gotRidOf(line, now) {
  const { to, ending, kind } = line.visit;
  if ((to ?? now) - line.by >= AUTHOR_STAYS_MS) return true;
  // Its end says so: status 0 when all lines were sent.
  if (ending?.how === "end of input") return ending.code === 0;
  // Who leaves the room stays connected, so a line that was sent is on its way.
  return kind === "page" && ending?.how === "leaves the room" && line.sent !== undefined;
}

/** Everything that can be said about a record `now`; what is wrong is in `violations`. */
export function check(record, { now, margin }) {
  const { lines, visits, outages } = record;
  const counts = { pairs: 0, linesChecked: 0, linesExcused: 0, inserted: 0 };
  const result = { now, ...counts, notChecked: {}, delays: [], gaps: gaps(record), violations: [] };
  const firsts = new Map(visits.map((visit) => [visit, firstSeen(visit)]));
  for (const line of lines) {
    if (line.by === undefined) continue; // its author reports what hindered it
    if (!gotRidOf(line, now)) {
      result.linesExcused++;
      continue;
    }
    result.linesChecked++;
    const until = due(line, { margin, outages });
    for (const visit of visits) judgePair(result, line, visit, until, firsts.get(visit).get(line.text));
  }
  const known = new Map(lines.map((line) => [line.text, line]));
  for (const visit of visits) judgeVisit(result, visit, known);
  return result;
}

/** How many violations of each kind. */
export function count({ violations }, kind) {
  return violations.filter((violation) => violation.kind === kind).length;
}

function judgePair(result, line, visit, until, seen) {
  const reason = excuse(result, line, visit, until);
  if (reason === "elsewhere") return;
  if (reason) {
    result.notChecked[reason] = (result.notChecked[reason] ?? 0) + 1;
    return;
  }
  result.pairs++;
  if (!seen) result.violations.push({ kind: "lost", line, visit, until });
  else if (seen.at > until) result.violations.push({ kind: "late", line, visit, until, seen });
  if (!seen) return;
  result.delays.push(Math.max(0, seen.at - (line.shown ?? line.at)));
  if (seen.below !== undefined) result.inserted++;
}

/** When somebody who was not going lost the hub, or its connection, while the hub was up. */
function gaps({ visits, outages }) {
  const down = ({ from }) => outages.some(({ killed, back }) => from >= killed && from <= (back ?? Infinity));
  return visits.flatMap((visit) => visit.gaps.filter((gap) => !down(gap)).map((gap) => ({ visit, ...gap })));
}

/** Why a pair is not checked; `elsewhere` for who was not there at all, and the author. */
function excuse(result, line, visit, until) {
  const to = visit.to ?? Infinity;
  if (visit.member === line.author || visit.from === undefined || to < line.at) return "elsewhere";
  if (until === undefined || until > result.now) return visit.from <= line.at ? "early" : "elsewhere";
  if (visit.from > until) return "elsewhere";
  if (visit.from > line.at) return "came";
  return to < until ? "went" : undefined;
}

/** Whatever somebody saw, due or not: no line twice, none out of its author's order, each under its author's id. */
function judgeVisit(result, visit, known) {
  const times = new Map();
  for (const seen of visit.seen) {
    const line = known.get(seen.text);
    if (!line) {
      result.violations.push({ kind: "unknown", visit, seen });
      continue;
    }
    if (!line.visit.peer?.endsWith(seen.from)) result.violations.push({ kind: "misattributed", line, visit, seen });
    times.set(line, (times.get(line) ?? 0) + 1);
    if (times.get(line) > 1) {
      result.violations.push({ kind: "doubled", line, visit, seen });
      continue;
    }
    const [above, below] = [known.get(seen.above), known.get(seen.below)];
    if ((above && above.number > line.number) || (below && below.number < line.number)) {
      result.violations.push({ kind: "disordered", line, visit, seen });
    }
  }
}

function firstSeen(visit) {
  const first = new Map();
  for (const seen of visit.seen) if (!first.has(seen.text)) first.set(seen.text, seen);
  return first;
}
