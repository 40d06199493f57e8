// Those whom the states of a page need around it: hubs of every kind, company in a room, a stranger's frame.

import { Author } from "./frames.mjs";
import { address, Stage } from "./stage.mjs";
import { freePorts } from "./wait.mjs";

export const ROOM = "kitchen";

const TALK = [
  ["mira", "Can everybody hear me?"],
  ["jonas", "Loud and clear. Where does this run?"],
  ["mira", "On Sam's laptop, and in this tab. Nowhere else."],
  ["sam", "I am the terminal in the corner."],
  ["sam", "Each of us is a peer with a key of their own."],
  ["jonas", "So when I close the laptop…"],
  ["mira", "…the lines wait here and go out when you are back."],
  ["jonas", "Nice. The plan for Saturday:\n1. bring two tins\n2. bring string"],
  ["sam", "https://libp2p.io explains the string."],
];

export class Cast {
  stage = new Stage();
  #hub;
  #lively;

  /** A hub that stays. */
  hub() {
    return (this.#hub ??= this.stage.hub());
  }

  /** Somebody alone in a room that nobody else knows. */
  async alone(room, { query, prepare, nick = "mira", hub, online = true } = {}) {
    const [here, person] = [hub ?? (await this.hub()), await this.stage.somebody(nick)];
    await prepare?.(person.page, here);
    if (online) await person.open(address(here.page, room, query), nick);
    else await person.page.goto(address(here.page, room, query));
    return person;
  }

  /** The room with everybody in it, every kind of line said, and those who are there. */
  lively() {
    return (this.#lively ??= this.#gather());
  }

  async #gather() {
    const hub = await this.hub();
    const open = (nick) => this.stage.person(hub, nick, ROOM);
    const [jonas, mira] = [await open("jonas"), await open("mira")];
    const sam = this.stage.terminal("sam", ROOM, [hub.tcp]);
    // Of another program as far as the others can tell: it says text without a frame.
    const radio = this.stage.terminal("radio", ROOM, [hub.tcp], ["--plain"]);
    await Promise.all([jonas.lists("mira"), jonas.lists("sam"), radio.line(/^joined: /, { stream: "err" })]);
    const cast = { jonas, mira, sam };
    for (const [who, text] of TALK) {
      await cast[who].say(text);
      await Promise.all([jonas.sees(text), mira.sees(text)]);
    }
    radio.say("18.4 °C in the pantry");
    await jonas.sees("18.4 °C in the pantry");
    await this.#newerLine(hub);
    await jonas.sees("A line this Tincan is too old to show.");
    return { hub, jonas, mira };
  }

  /** Brings a line that a later Tincan may say: somebody has it stored, and hands it on when they meet others. */
  async #newerLine(hub) {
    const profile = await this.stage.profile();
    const person = await this.stage.person(hub, "ida", ROOM, { profile });
    // A page of the hub without a node: nothing else holds the storage.
    await person.page.goto(new URL("healthz", hub.page).href);
    const entry = new Author().newer(ROOM);
    await person.page.evaluate(storeEntry, { key: `0/${entry.key}`, value: [...entry.bytes] });
    await person.open(address(hub.page, ROOM));
  }

  /** A hub about to be lost, with somebody at its page. */
  async doomed(room) {
    const hub = await this.stage.hub();
    const person = await this.alone(room, { hub });
    person.mayLoseHub = true;
    return { hub, person };
  }

  /** A terminal in a room that a page can dial, and where. */
  async dialable(nick, room, hub) {
    const [port] = await freePorts(1);
    const listen = `/ip4/127.0.0.1/tcp/${port}/ws`;
    return { terminal: this.stage.terminal(nick, room, [hub.tcp], ["--listen", listen]), listen };
  }

  clear() {
    return this.stage.clear();
  }
}

/** Runs in the page: writes one entry where Tincan stores. */
export function storeEntry({ key, value }) {
  return new Promise((resolve, reject) => {
    const open = indexedDB.open("tincan");
    open.onerror = () => reject(open.error);
    open.onsuccess = () => {
      const transaction = open.result.transaction("entries", "readwrite");
      transaction.objectStore("entries").put(new Uint8Array(value), key);
      transaction.oncomplete = () => resolve(open.result.close());
      transaction.onabort = () => reject(transaction.error);
    };
  });
}
