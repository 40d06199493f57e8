// Pages and terminals come and go as scheduled, and say lines while they are there; the hub stays up.

import { Stage } from "../support/stage.mjs";
import { passed } from "../support/wait.mjs";
import { check, settling } from "./checker.mjs";
import { memory, recordedHub } from "./hub.mjs";
import { PageMember, TerminalMember } from "./member.mjs";
import { Record } from "./record.mjs";
import { schedule } from "./schedule.mjs";
import { tell } from "./violation.mjs";

const ROOM = "visits";
/** How often the run is judged so far and told about. */
const TELL_EVERY_MS = 30_000;

export async function visits(settings, say) {
  const stage = new Stage();
  const record = new Record("visits");
  const run = { record, margin: settings.margin, told: new Set(), comings: [] };
  const judge = () => {
    const result = check(record, { now: Date.now(), margin: settings.margin });
    tell(run, result, say);
    return result;
  };
  let telling;
  try {
    const hub = await recordedHub(stage, record);
    run.memory = { start: (await memory(hub)).now };
    say(`visits: the hub is at ${hub.page}, seed ${settings.seed}`);
    telling = setInterval(() => {
      const { pairs } = judge();
      const there = record.visits.filter((visit) => visit.from !== undefined && visit.to === undefined).length;
      const { visits, lines } = record;
      say(`visits: ${there} are there; so far ${visits.length} visits, ${lines.length} lines, ${pairs} pairs checked`);
    }, TELL_EVERY_MS);
    const setting = { stage, record, hub, room: ROOM };
    const end = Date.now() + settings.minutes * 60_000;
    await Promise.all(schedule(settings).map((place) => play(place, { end, setting, run })));
    await passed(settling(settings.margin));
    run.result = judge();
    const { now, peak } = await memory(hub);
    Object.assign(run.memory, { end: now, peak });
    run.consoleErrors = stage.people.flatMap((person) => person.faults.map((fault) => `${person.name}: ${fault}`));
    return run;
  } finally {
    clearInterval(telling);
    record.over = true;
    await stage.clear();
  }
}

/** One member after the other in one place, each for one visit or several. */
async function play({ kind, name, visits: planned }, { end, setting, run }) {
  const over = () => Date.now() >= end;
  /** Time goes by, until the end at most. */
  const wait = (ms) => passed(Math.max(0, Math.min(ms, end - Date.now())));
  let member;
  let identities = 0;
  for (const { away, stay, as, moments, ending } of planned) {
    await wait(away);
    if (over()) return;
    if (as === "new") {
      await member?.retire();
      const Kind = kind === "page" ? PageMember : TerminalMember;
      member = new Kind(`${name}-${++identities}`, setting);
    }
    try {
      await member.come();
      const online = Date.now();
      run.comings.push({ kind, ms: member.visit.from - member.visit.came });
      for (const { at, lines } of moments) {
        await wait(online + at - Date.now());
        for (let i = 0; i < lines && !over(); i++) await member.say();
      }
      await wait(online + stay - Date.now());
      if (over()) return;
      await member.go(ending);
    } catch (error) {
      setting.record.fault(member.name, error.message);
      return;
    }
  }
}
