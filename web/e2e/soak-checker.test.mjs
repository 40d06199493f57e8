// The soak's checker finds what is wrong in a record, and nothing in one that is right. No browser, no hub.

import assert from "node:assert/strict";
import test from "node:test";
import { AUTHOR_STAYS_MS, check, count, settling } from "./soak/checker.mjs";
import { Record } from "./soak/record.mjs";
import { schedule } from "./soak/schedule.mjs";
import { settings } from "./soak/settings.mjs";
import { sentence, story, tell } from "./soak/violation.mjs";

const MARGIN = 20_000;
/** When everything is over and due. */
const END = 1_000_000;

/** Somebody who is there from `from` to `to`. */
function visitor(record, member, { from = 0, to, ending, kind = "terminal", peer = `peer-of-${member}` } = {}) {
  return Object.assign(record.visit(member, kind, peer), { from, to, ending });
}

/** A line said at this time, in one moment. */
function said(record, visit, number, at) {
  return Object.assign(record.line(visit, number), { at, by: at });
}

/** Somebody sees lines of one author, in this order, each when it was said or at `at`. */
function sees(visit, lines, at) {
  let above;
  for (const line of lines) {
    visit.seen.push({ at: at ?? line.at, from: line.visit.peer, text: line.text, above });
    above = line.text;
  }
}

const judged = (record, now = END) => check(record, { now, margin: MARGIN });
const kinds = (result) => result.violations.map(({ kind }) => kind);

/** ann says three lines; bob and cid are there all the time and see what `seen` says. */
function threeLines(seen = (lines) => lines) {
  const record = new Record("test");
  const [ann, bob, cid] = ["ann", "bob", "cid"].map((name) => visitor(record, name));
  const lines = [1, 2, 3].map((number) => said(record, ann, number, number * 1_000));
  sees(bob, lines);
  sees(cid, seen(lines));
  return { record, ann, bob, cid, lines };
}

test("a record that is right has no violation, and each pair is counted", () => {
  const result = judged(threeLines().record);
  assert.deepEqual(kinds(result), []);
  assert.equal(result.pairs, 6);
  assert.equal(result.linesChecked, 3);
  assert.equal(result.delays.length, 6);
});

test("a line that somebody never saw is lost", () => {
  const { record, lines } = threeLines(([one, , three]) => [one, three]);
  const result = judged(record);
  assert.deepEqual(kinds(result), ["lost"]);
  const [lost] = result.violations;
  assert.equal(lost.line, lines[1]);
  assert.equal(lost.visit.member, "cid");
  record.note("cid", "went for tea", 2_500);
  record.note("cid", "long before", -100_000);
  const told = story(record, lost);
  assert.match(told, /^LOST: ann 2 .* cid \(visit 1\)/);
  assert.match(told, /went for tea/);
  assert.doesNotMatch(told, /long before/);
  assert.match(told, /seen by: bob\/1/);
});

test("a line seen twice is doubled, also when nobody owed it", () => {
  const { record } = threeLines(([one, two, three]) => [one, two, two, three]);
  assert.deepEqual(kinds(judged(record)), ["doubled"]);
  const fresh = new Record("test");
  const [ann, late] = [visitor(fresh, "ann"), visitor(fresh, "late", { from: 5_000 })];
  const line = said(fresh, ann, 1, 1_000);
  sees(late, [line, line], 6_000);
  const result = judged(fresh);
  assert.deepEqual([result.pairs, kinds(result)], [0, ["doubled"]]);
});

test("lines of one author in another order than said are out of order", () => {
  const { record } = threeLines(([one, two, three]) => [one, three, two]);
  const result = judged(record);
  assert.deepEqual(kinds(result), ["disordered"]);
  assert.match(sentence(result.violations[0]), /^OUT OF ORDER: cid \(visit 1\) saw ann 2 .* below ann 3/);
});

test("on a screen a line that takes its place above a later one is in order, one put below is not", () => {
  for (const [below, wrong] of [["ann 3", []], ["ann 1", ["disordered"]]]) {
    const { record, cid, lines } = threeLines(([one, , three]) => [one, three]);
    cid.seen.push({ at: 4_000, from: lines[1].visit.peer, text: "ann 2", above: "ann 1", below });
    const result = judged(record);
    assert.deepEqual([kinds(result), result.inserted], [wrong, 1]);
  }
});

test("a line that came after it was due is late", () => {
  for (const [at, wrong] of [[1_000 + MARGIN, []], [1_001 + MARGIN, ["late"]]]) {
    const record = new Record("test");
    const [ann, bob] = [visitor(record, "ann"), visitor(record, "bob")];
    sees(bob, [said(record, ann, 1, 1_000)], at);
    assert.deepEqual(kinds(judged(record)), wrong);
  }
});

test("a line under another author's id, and one that nobody said, are found", () => {
  const { record, cid } = threeLines();
  cid.seen[1].from = "peer-of-bob";
  cid.seen.push({ at: 5_000, from: "peer-of-bob", text: "bob 1" });
  assert.deepEqual(kinds(judged(record)), ["misattributed", "unknown"]);
});

test("a terminal's short id is its author's", () => {
  const { record, cid } = threeLines();
  for (const seen of cid.seen) seen.from = "of-ann";
  assert.deepEqual(kinds(judged(record)), []);
});

test("only who was there from before a line was said until it was due has to have it", () => {
  const at = 100_000;
  for (const [there, pairs, reasons] of [
    [{ from: at }, 1, {}],
    [{ from: at + 1 }, 0, { came: 1 }],
    [{ from: at + MARGIN + 1 }, 0, {}],
    [{ to: at + MARGIN }, 1, {}],
    [{ to: at + MARGIN - 1 }, 0, { went: 1 }],
    [{ to: at - 1 }, 0, {}],
    [{ from: null }, 0, {}],
  ]) {
    const record = new Record("test");
    const [ann, bob] = [visitor(record, "ann"), visitor(record, "bob", there)];
    if (there.from === null) bob.from = undefined;
    said(record, ann, 1, at);
    const result = judged(record);
    const wanted = [pairs, reasons, Array(pairs).fill("lost")];
    assert.deepEqual([result.pairs, result.notChecked, kinds(result)], wanted, JSON.stringify(there));
  }
});

test("a line is not yet due before its margin has passed", () => {
  const record = new Record("test");
  const [ann] = [visitor(record, "ann"), visitor(record, "bob")];
  said(record, ann, 1, 1_000);
  const early = judged(record, 999 + MARGIN);
  assert.deepEqual([early.pairs, early.notChecked, kinds(early)], [0, { early: 1 }, []]);
  assert.deepEqual(kinds(judged(record, 1_000 + MARGIN)), ["lost"]);
});

test("two visits of one member are two receivers, and what comes again in the second is not doubled", () => {
  const record = new Record("test");
  const ann = visitor(record, "ann");
  const first = visitor(record, "bob", { to: 50_000 });
  const second = visitor(record, "bob", { from: 60_000 });
  const lines = [said(record, ann, 1, 10_000), said(record, ann, 2, 70_000)];
  sees(first, [lines[0]]);
  sees(second, lines, 70_000);
  const result = judged(record);
  assert.deepEqual([result.pairs, kinds(result)], [2, []]);
});

test("a line that its author took along is excused, unless its end said that it had left", () => {
  const at = 100_000;
  const soon = at + AUTHOR_STAYS_MS - 1;
  for (const [author, checked] of [
    [{ to: soon + 1, ending: { how: "SIGKILL" } }, 1],
    [{ to: soon, ending: { how: "SIGKILL" } }, 0],
    [{ to: soon, ending: { how: "SIGTERM", code: 0 } }, 0],
    [{ to: soon, ending: { how: "end of input", code: 0 } }, 1],
    [{ to: soon, ending: { how: "end of input", code: 1 } }, 0],
    [{ to: soon, ending: { how: "closes the tab" }, kind: "page", sent: at }, 0],
    [{ to: soon, ending: { how: "leaves the room" }, kind: "page", sent: at }, 1],
    [{ to: soon, ending: { how: "leaves the room" }, kind: "page" }, 0],
  ]) {
    const record = new Record("test");
    const ann = visitor(record, "ann", author);
    visitor(record, "bob");
    Object.assign(said(record, ann, 1, at), { sent: author.sent });
    const result = judged(record);
    const wanted = [checked, 1 - checked, Array(checked).fill("lost")];
    assert.deepEqual([result.linesChecked, result.linesExcused, kinds(result)], wanted, JSON.stringify(author));
  }
});

test("a line said while the hub is or goes down is due after its return", () => {
  const [killed, back] = [100_000, 220_000];
  for (const [at, until] of [
    [killed - MARGIN - 1, killed - 1],
    [killed - MARGIN, back + MARGIN],
    [killed + 1, back + MARGIN],
    [back, back + MARGIN],
    [back + 1, back + 1 + MARGIN],
  ]) {
    for (const [seen, wrong] of [[until, []], [until + 1, ["late"]]]) {
      const record = new Record("test");
      const [ann, bob] = [visitor(record, "ann"), visitor(record, "bob")];
      record.outages.push({ killed, back });
      sees(bob, [said(record, ann, 1, at)], seen);
      assert.deepEqual(kinds(judged(record)), wrong, `said at ${at}, seen at ${seen}`);
    }
  }
  const record = new Record("test");
  const [ann] = [visitor(record, "ann"), visitor(record, "bob")];
  record.outages.push({ killed });
  said(record, ann, 1, killed + 1);
  assert.deepEqual(kinds(judged(record)), [], "nothing is due while the hub is down");
});

test("who is not online while the hub is up is told, who is not while it is down is as it should be", () => {
  const { record, bob } = threeLines();
  record.outages.push({ killed: 100_000, back: 200_000 });
  bob.gaps.push({ from: 99_999, to: 100_500 }, { from: 100_001, to: 201_000 }, { from: 200_001 });
  const { gaps } = judged(record);
  assert.deepEqual(gaps.map(({ visit, from }) => [visit.member, from]), [["bob", 99_999], ["bob", 200_001]]);
  const told = [];
  const run = { record, told: new Set() };
  for (let i = 0; i < 2; i++) tell(run, judged(record), (text) => told.push(text));
  assert.equal(told.length, 2, "each once");
  assert.match(told[0], /GAP: bob \(visit 1\) was not online from 00:01:39.999 to 00:01:40.500/);
});

test("after settling, the last line of who stayed is checked, whatever the margin", () => {
  for (const margin of [1_000, MARGIN]) {
    const record = new Record("test");
    const ann = visitor(record, "ann");
    visitor(record, "bob");
    said(record, ann, 1, 50_000);
    const result = check(record, { now: 50_000 + settling(margin), margin });
    assert.deepEqual([result.linesExcused, result.pairs, kinds(result)], [0, 1, ["lost"]]);
  }
});

test("violations are counted by kind", () => {
  const result = judged(threeLines(([one, , three]) => [three, one, one]).record);
  assert.deepEqual(["lost", "doubled", "disordered", "late"].map((kind) => count(result, kind)), [1, 1, 1, 0]);
});

test("one seed plans one schedule, in bounds, and another seed another", () => {
  const plan = (seed) => schedule({ seed, minutes: 10, pages: 2, terminals: 2 });
  assert.deepEqual(plan(7), plan(7));
  assert.notDeepEqual(plan(7), plan(8));
  assert.deepEqual(plan(7).map(({ name }) => name), ["page1", "page2", "terminal1", "terminal2"]);
  for (const { kind, visits } of plan(7)) {
    assert.equal(visits[0].as, "new");
    assert.ok(visits.reduce((sum, { away, stay }) => sum + away + stay, 0) >= 600_000, "enough for the whole time");
    for (const { stay, moments, ending } of visits) {
      assert.ok(stay >= 8_000 && stay <= 120_000);
      assert.ok(moments.every(({ at, lines }) => at < stay && lines >= 1 && lines <= 5));
      assert.equal(ending.startsWith("SIG") || ending === "end of input", kind === "terminal");
    }
  }
});

test("settings have defaults and bounds", () => {
  const { outages, down, minutes, margin, parts, command } = settings([]);
  assert.deepEqual([outages, down, minutes, margin, parts], [20, 120_000, 10, 20_000, ["outages", "visits"]]);
  assert.equal(command, "cargo xtask soak session");
  assert.deepEqual(settings(["--only", "visits", "--minutes", "0.5"]).parts, ["visits"]);
  for (const wrong of ["--outages 0", "--down x", "--seed ", "--pages 1.5", "--only both"]) {
    assert.throws(() => settings(wrong.split(" ")), /^Error: --\w+ must be/, wrong);
  }
  assert.throws(() => settings(["--what"]), /--what/);
  assert.throws(() => settings(["--only", "visits", "--together"]), /contradict/);
});
