// A member of the room who comes, says numbered lines and goes, and whose diary tells when.

import { peerIdOf, shownBy } from "../support/process.mjs";
import { address } from "../support/stage.mjs";
import { until } from "../support/wait.mjs";
import { watch } from "./watch.mjs";

/** How long somebody may take to be online in the room. */
const COMES_MS = 60_000;
/** How long a terminal may take to end. */
const ENDS_MS = 30_000;

/** What pages and terminals have in common. One member is one identity, over all its visits. */
class Member {
  #said = 0;

  constructor(name, { stage, record, hub, room }) {
    Object.assign(this, { name, stage, record, hub, room, here: false, hereSince: [] });
  }

  note(what, at) {
    this.record.note(this.name, what, at);
  }

  begin() {
    this.visit = this.record.visit(this.name, this.kind, this.peerId);
    if (this.here) this.visit.from = this.visit.came;
  }

  /** Online in the room, or no longer. */
  stands(here, at) {
    if (here === this.here) return;
    this.here = here;
    this.note(here ? "online in the room" : "not online in the room", at);
    if (here) {
      this.hereSince.push(at);
      this.visit.from ??= at;
      const gap = this.visit.gaps.at(-1);
      if (gap) gap.to ??= at;
    } else if (this.visit.from !== undefined && this.visit.to === undefined) {
      this.visit.gaps.push({ from: at });
    }
  }

  async isHere(within = COMES_MS) {
    await until(async () => `${this.name} is online in the room; ${await this.state()}`, () => this.here, within);
  }

  isAway(within) {
    const told = async () => `${this.name} notices that the hub is gone; ${await this.state()}`;
    return until(told, () => !this.here, within);
  }

  /** Says the next line. */
  async say() {
    const line = this.record.line(this.visit, ++this.#said);
    try {
      await this.speak(line.text);
      line.by = Date.now();
    } catch (error) {
      this.record.fault(this.name, `cannot say ${line.text}: ${error.message}`);
    }
  }

  /** From now on nothing has to reach this member. */
  goes(how) {
    this.visit.to = Date.now();
    this.note(`goes: ${how}`, this.visit.to);
  }

  sees({ at, ...row }) {
    this.visit.seen.push({ at, ...row });
    this.note(`sees ${row.text}${row.below ? `, above ${row.below}` : ""}`, at);
  }
}

export class PageMember extends Member {
  kind = "page";

  async come() {
    this.begin();
    const tabIsOpen = this.person && !this.person.page.isClosed();
    if (tabIsOpen) await this.person.join(this.room);
    else await this.#open();
    await this.isHere();
    const id = await this.person.id();
    if (this.peerId && this.peerId !== id) this.record.fault(this.name, `was ${this.peerId} and is now ${id}`);
    if (!this.peerId) await this.person.takeNick(this.name);
    this.peerId = this.visit.peer = id;
  }

  async #open() {
    this.profile ??= await this.stage.profile();
    this.person = await this.stage.somebody(this.name, this.profile);
    this.person.mayLoseHub = this.mayLoseHub;
    await this.person.page.exposeBinding("soakHeard", (_, news) => this.#heard(news));
    await this.person.page.addInitScript(watch, this.room);
    await this.person.page.goto(address(this.hub.page, this.room));
  }

  #heard({ at, rows, sent, status, here }) {
    if (status !== undefined) this.note(`status ${status}`, at);
    if (here !== undefined) this.stands(here, at);
    for (const { from, text, above, below } of rows) {
      this.sees({ at, from, text, above, below });
      const line = this.visit.lines.get(text);
      if (line) line.shown ??= at;
    }
    for (const text of sent) {
      const line = this.visit.lines.get(text);
      if (line) line.sent ??= at;
      this.note(`shows ${text} as sent`, at);
    }
  }

  speak(text) {
    return this.person.say(text);
  }

  async go(how) {
    this.goes(how);
    if (how === "leaves the room") await this.person.leave(this.room);
    else await this.person.page.close();
    this.visit.ending = { how };
    this.here = false;
  }

  /** Never comes again. */
  async retire() {
    await this.profile?.close();
  }

  state() {
    return this.person?.tail() ?? "it never opened a page";
  }
}

export class TerminalMember extends Member {
  kind = "terminal";
  #last = new Map();

  async come() {
    this.dir ??= await this.stage.directory();
    this.peerId ??= await peerIdOf(this.dir);
    this.#last.clear();
    Object.assign(this, { joined: false, online: false, atHub: false });
    this.begin();
    this.terminal = this.stage.terminal(this.name, this.room, [this.hub.tcp], [], this.dir);
    this.terminal.onLine = (line, stream) => (stream === "out" ? this.#shows(line) : this.#tells(line));
    const { terminal } = this;
    terminal.exit.then(({ code, signal }) => {
      this.note(`ended with ${signal ?? code}`);
      if (this.visit.to !== undefined) return;
      this.record.fault(this.name, `ended by itself with ${signal ?? code}\n${terminal.tail()}`);
    });
    await this.isHere();
  }

  #shows(line) {
    const shown = shownBy(line);
    if (!shown) return this.record.fault(this.name, `shows what is no line: ${line}`);
    this.sees({ at: Date.now(), from: shown.from, text: shown.text, above: this.#last.get(shown.from) });
    this.#last.set(shown.from, shown.text);
  }

  #tells(line) {
    this.note(line);
    const [word] = line.split(";");
    if (line.startsWith(`in room ${this.room} `)) this.joined = true;
    if (["online", "offline", "connecting"].includes(word)) this.online = word === "online";
    // Two terminals may know each other directly, and then stay online without a hub.
    if (line.startsWith(`connected: ${this.hub.peerId} `)) this.atHub = true;
    if (line === `disconnected: ${this.hub.peerId}`) this.atHub = false;
    this.stands(this.joined && this.online && this.atHub, Date.now());
  }

  async speak(text) {
    this.terminal.say(text);
  }

  async go(how) {
    this.goes(how);
    const ended = how === "end of input" ? this.terminal.endInput() : this.terminal.kill(how);
    await until(() => `${this.name} ends by ${how}\n${this.terminal.tail()}`, () => this.terminal.ended, ENDS_MS);
    this.visit.ending = { how, code: (await ended).code };
    this.here = false;
  }

  async retire() {}

  state() {
    return `\n${this.terminal.tail()}`;
  }
}
