// The binary under test: a hub, a chatting terminal, a console.

import fs from "node:fs/promises";
import path from "node:path";
import { Process } from "./child.mjs";
import { freePorts, until } from "./wait.mjs";

const BINARY = process.env.TINCAN_BIN;
if (!BINARY) throw new Error("TINCAN_BIN names no binary; run `cargo xtask test e2e`");

/** The first published build, where a test is given one. */
export const OLD_BINARY = process.env.TINCAN_OLD_BIN;

/** A running `tincan`. */
class Tincan extends Process {
  constructor(name, words, binary = BINARY) {
    super(name, binary, words);
  }
}

/** A hub on ports picked ahead, so that it can be killed and come back on the same ones. */
export class Hub {
  constructor(dir, [tcp, ws, webrtc, http]) {
    Object.assign(this, { dir, ports: { tcp, ws, webrtc, http } });
  }

  /**
   * A hub with its data in `dir`, on these ports or on any that are free, and with the text of a `--config`; without
   * WebRTC-direct if it is not to be `direct`; on this `host`'s address, or on all with 0.0.0.0; of another `binary` than
   * the one under test.
   */
  static async start(dir, { ports, config, direct = true, host = "127.0.0.1", binary } = {}) {
    const hub = new Hub(dir, ports ?? (await freePorts(4)));
    Object.assign(hub, { direct, host, binary });
    await hub.configure(config);
    await hub.start();
    return hub;
  }

  /** What its `--config` says from its next start on. */
  async configure(config) {
    this.config = config && path.join(this.dir, "hub.toml");
    if (this.config) await fs.writeFile(this.config, config);
  }

  /** Starts it, or starts it again; answers when it listens. */
  async start() {
    const { tcp, ws, webrtc, http } = this.ports;
    const listen = [`tcp/${tcp}`, `tcp/${ws}/ws`];
    if (this.direct) listen.push(`udp/${webrtc}/webrtc-direct`);
    const words = ["serve", "--no-mdns", "--data-dir", this.dir, "--http", `${this.host}:${http}`];
    if (this.config) words.push("--config", this.config);
    words.push(...listen.flatMap((end) => ["--listen", `/ip4/${this.host}/${end}`]));
    this.process = new Tincan("hub", words, this.binary);
    this.process.onLine = this.onLine;
    const page = await this.process.line(/^page: /);
    this.page = page.slice("page: ".length);
    this.peerId = this.process.out.find((line) => line.startsWith("peer id: "))?.slice("peer id: ".length);
    this.addresses = this.process.out
      .filter((line) => line.startsWith("listening: "))
      .map((line) => line.slice("listening: ".length));
    this.tcp = this.addresses.find((address) => address.includes(`/tcp/${tcp}/p2p/`));
    this.ws = this.addresses.find((address) => address.includes(`/tcp/${ws}/ws`));
    this.webrtc = this.addresses.find((address) => address.includes("/webrtc-direct"));
  }

  kill(signal) {
    return this.process.kill(signal);
  }

  tail() {
    return this.process.tail();
  }
}

/** The peer id of a data directory, which is made when there is none. */
export async function peerIdOf(dir) {
  const process = new Tincan(`id ${dir}`, ["id", "--data-dir", dir]);
  const id = await process.line(/^\w+$/);
  await process.exit;
  return id;
}

/** A line that a terminal shows: `[room] nick (short id): text`. */
export function shownBy(line) {
  const parts = /^\[(.*?)\] (.*?) \((\w+)\): (.*)$/su.exec(line);
  return parts && { room: parts[1], nick: parts[2], from: parts[3], text: parts[4] };
}

/** `tincan chat` in one room; with `dir` as who that directory says, else as nobody before. */
export class Terminal extends Tincan {
  constructor(nick, room, addresses, more = [], dir, binary) {
    const identity = dir ? ["--data-dir", dir] : ["--ephemeral"];
    const words = ["chat", "--no-mdns", ...identity, "--nick", nick, "--room", room, ...more, ...addresses];
    super(`terminal ${nick}`, words, binary);
    Object.assign(this, { nick, room });
  }

  say(text) {
    this.type(text);
  }

  /** What it shows, parsed. */
  messages() {
    return this.out.flatMap((line) => shownBy(line) ?? []);
  }

  /** Texts of one author, by whole peer id. */
  textsOf(peerId) {
    return this.messages().filter((message) => peerId.endsWith(message.from)).map((message) => message.text);
  }
}

/** `tincan kv`: one line in, one line out. */
export class Console extends Tincan {
  constructor(name, addresses, binary) {
    super(`kv ${name}`, ["kv", "--no-mdns", "--ephemeral", ...addresses], binary);
  }

  async ask(line) {
    const after = this.out.length;
    const errors = this.err.length;
    this.type(line);
    const answer = () => this.out[after] ?? this.err.slice(errors).find((said) => said.startsWith("error: "));
    return until(() => `an answer to ${line.slice(0, 80)}\n${this.tail()}`, answer);
  }
}
