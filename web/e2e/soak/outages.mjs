// The hub is killed and stays down for a while, again and again; the members stay, and go on saying lines.

import { Stage } from "../support/stage.mjs";
import { passed, until } from "../support/wait.mjs";
import { check, settling } from "./checker.mjs";
import { memory, recordedHub } from "./hub.mjs";
import { PageMember, TerminalMember } from "./member.mjs";
import { Record } from "./record.mjs";
import { seconds } from "./times.mjs";
import { tell } from "./violation.mjs";

const ROOM = "outages";
const PAGES = ["ada", "bob"];
const TERMINALS = ["tom", "una"];
/** Lines of each member before an outage, while the hub is down, and once it is online again. */
const LINES = { before: 2, during: 4, after: 2 };
/** How long a member may take to notice that the hub is gone. */
const NOTICES_MS = 30_000;
/** How long a member may take to be online again. */
const RETURNS_MS = 60_000;

export async function outages(settings, say) {
  const stage = new Stage();
  const record = new Record("outages");
  const run = { record, rounds: [], margin: settings.margin, told: new Set() };
  try {
    const hub = await recordedHub(stage, record);
    const setting = { stage, record, hub, room: ROOM };
    const members = [
      ...PAGES.map((name) => Object.assign(new PageMember(name, setting), { mayLoseHub: true })),
      ...TERMINALS.map((name) => new TerminalMember(name, setting)),
    ];
    await Promise.all(members.map((member) => member.come()));
    run.memory = { start: (await memory(hub)).now };
    say(`outages: ${members.length} members are online at ${hub.page}`);
    for (let number = 1; number <= settings.outages; number++) {
      const round = await outage({ run, hub, members, down: settings.down });
      run.rounds.push(round);
      const slowest = Math.max(...round.returns.map(({ ms }) => ms));
      const everywhere = seconds(round.everywhere ?? Infinity);
      say(`outages: ${number} of ${settings.outages}; from the hub's return until all were online ${seconds(slowest)} s, ` +
          `until all lines were everywhere ${everywhere} s`);
      tell(run, check(record, { now: Date.now(), margin: settings.margin }), say);
    }
    Object.assign(run.memory, { end: (await memory(hub)).now });
    await passed(settling(settings.margin));
    run.result = check(record, { now: Date.now(), margin: settings.margin });
    tell(run, run.result, say);
    run.consoleErrors = stage.people.flatMap((person) => person.faults.map((fault) => `${person.name}: ${fault}`));
    return run;
  } finally {
    record.over = true;
    await stage.clear();
  }
}

async function outage({ run, hub, members, down }) {
  const { record } = run;
  const everybody = (what) => Promise.all(members.map(what));
  for (let i = 0; i < LINES.before; i++) await everybody((member) => member.say());

  const before = await memory(hub);
  const id = hub.peerId;
  const time = { killed: Date.now(), back: undefined };
  record.outages.push(time);
  record.note("hub", "is killed");
  // Said while the hub dies: taken by it or not, they have to arrive.
  await Promise.all([hub.kill("SIGKILL"), everybody((member) => member.say())]);
  const ends = time.killed + down;
  await everybody((member) => member.isAway(NOTICES_MS).catch((error) => record.fault(member.name, error.message)));
  for (let i = 0; i < LINES.during; i++) {
    await everybody((member) => member.say());
    await passed(Math.max(0, (ends - Date.now()) / (LINES.during - i)));
  }

  await hub.start();
  time.back = Date.now();
  record.note("hub", "is back", time.back);
  if (hub.peerId !== id) record.fault("hub", `was ${id} and is now ${hub.peerId}`);
  await everybody((member) => member.say());
  const returns = await everybody((member) => returned(member, time.back, record));
  for (let i = 0; i < LINES.after; i++) await everybody((member) => member.say());
  return { ...time, before, returns, everywhere: await everywhere(run, members, time.back) };
}

/** How long a member took to be online in the room again. */
async function returned(member, back, record) {
  const { name, kind } = member;
  try {
    await member.isHere(RETURNS_MS);
    return { name, kind, ms: Math.max(0, member.hereSince.at(-1) - back) };
  } catch (error) {
    record.fault(name, error.message);
    return { name, kind, ms: Infinity };
  }
}

/** Waits until everybody has seen everybody else's lines, at most until they are due. */
async function everywhere({ record, margin }, members, back) {
  const missing = () => {
    const seen = members.map(({ visit }) => [visit, new Set(visit.seen.map(({ text }) => text))]);
    return record.lines.filter((line) => seen.some(([visit, texts]) => visit !== line.visit && !texts.has(line.text)));
  };
  const within = Math.max(0, Math.max(back, ...record.lines.map((line) => line.by)) + margin - Date.now());
  try {
    await until("all lines are everywhere", () => missing().length === 0, within);
    return Date.now() - back;
  } catch {
    return undefined;
  }
}
