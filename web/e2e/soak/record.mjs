// What happened, as it happened: lines said, visits paid, what each visitor saw, and everybody's diary.

export class Record {
  lines = [];
  visits = [];
  outages = [];
  faults = [];
  /** What is cleared away now is no fault. */
  over = false;
  #diaries = new Map();

  constructor(name) {
    this.name = name;
  }

  /** A line in somebody's diary. */
  note(who, what, at = Date.now()) {
    if (!this.#diaries.has(who)) this.#diaries.set(who, []);
    this.#diaries.get(who).push({ at, what });
  }

  /** Something that must not happen and is no line's fate. */
  fault(who, what, at = Date.now()) {
    if (this.over) return;
    this.note(who, `FAULT: ${what}`, at);
    this.faults.push({ at, who, what });
  }

  /** Somebody comes. `from` and `to` say when they were there: online in the room, and not yet going. */
  visit(member, kind, peer) {
    const number = this.visits.filter((visit) => visit.member === member).length + 1;
    const visit = { member, kind, number, peer, came: Date.now(), seen: [], gaps: [], lines: new Map() };
    this.visits.push(visit);
    this.note(member, `comes, visit ${number}`, visit.came);
    return visit;
  }

  /** Somebody is about to say a line; `by` is set once it is said. */
  line(visit, number) {
    const line = { text: `${visit.member} ${number}`, author: visit.member, number, visit, at: Date.now() };
    this.lines.push(line);
    visit.lines.set(line.text, line);
    this.note(visit.member, `says ${line.text}`, line.at);
    return line;
  }

  /** Everybody's diary in one, by time. */
  wholeDiary() {
    const entries = [...this.#diaries].flatMap(([who, entries]) => entries.map((entry) => ({ who, ...entry })));
    return entries.sort((a, b) => a.at - b.at);
  }

  /** Somebody's diary between two times. */
  diary(who, from, to) {
    return (this.#diaries.get(who) ?? []).filter(({ at }) => at >= from && at <= to);
  }
}
