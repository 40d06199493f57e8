// Peers of another implementation, js-libp2p: one kind in a process of Node, one in a page.

import fs from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";
import { Process } from "./child.mjs";
import { serve } from "./site.mjs";
import { until } from "./wait.mjs";

/** js-libp2p's oldest major version of Node. */
const NODE_MAJOR = 22;

const source = (name) => new URL(`../js-peer/${name}`, import.meta.url);

/** A Node that js-libp2p runs on: this one, or the one among the packages. */
function node() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR) return process.execPath;
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  try {
    const dir = fs.realpathSync(createRequire(import.meta.url).resolve(`${name}/package.json`)).replace(/package\.json$/, "bin/");
    return `${dir}node${process.platform === "win32" ? ".exe" : ""}`;
  } catch {
    throw new Error(`no Node from ${NODE_MAJOR} on and no package ${name}; install one of them`);
  }
}

/** What every js peer can be asked, whatever it runs in. */
const Asked = (Base) =>
  class extends Base {
    async start(options = {}) {
      this.peerId = await this.ask("start", options);
      return this;
    }

    /** Joins a hub and enters a room once the hub is seen to carry it. */
    async enter(address, room) {
      const hub = await this.ask("join", address);
      await this.ask("enter", room);
      await this.seesMember(room, hub);
    }

    seesMember(room, peerId) {
      const members = () => this.ask("members", room);
      const told = async () => `${this.name} sees ${peerId} in ${room}; it sees ${await members()}`;
      return until(told, async () => (await members()).includes(peerId));
    }

    /**
     * Publishes many frames, each part once `came` says that those before it have come: the log still holds a part when a
     * sync brings what a busy machine's gossip has dropped of it.
     */
    async publishInParts(room, frames, size, came) {
      for (let n = 0; n < frames.length; n += size) {
        await this.ask("publishAll", room, frames.slice(n, n + size).map((frame) => frame.bytes.toString("base64")));
        await came(Math.min(n + size, frames.length));
      }
    }

    /** The first line heard that fits. */
    hears(fits) {
      const lines = () => this.ask("lines");
      const told = async () => `${this.name} hears ${fits}; it heard ${JSON.stringify((await lines()).slice(-6))}`;
      return until(told, async () => (await lines()).find(fits));
    }
  };

class JsProcess extends Asked(Process) {
  #asked = 0;

  constructor(name) {
    super(`js ${name} in Node`, node(), [fileURLToPath(source("process.mjs"))]);
  }

  async ask(call, ...words) {
    const id = ++this.#asked;
    const question = `${call} ${words}`.slice(0, 200);
    this.child.stdin.write(`${JSON.stringify({ id, call, words })}\n`);
    const answered = () => this.out.map((line) => JSON.parse(line)).find((line) => line.id === id);
    const said = await until(() => `${this.name} answers ${question}\n${this.tail()}`, () => answered() ?? this.ended);
    if (said.id !== id) throw new Error(`${this.name} ended\n${this.tail()}`);
    if (said.error) throw new Error(`${this.name}, ${question}: ${said.error}`);
    return said.answer;
  }
}

class JsPage extends Asked(class {}) {
  faults = [];

  constructor(page, name) {
    super();
    Object.assign(this, { page, name: `js ${name} in a page` });
    page.on("pageerror", (error) => this.faults.push(`thrown: ${error.message}`));
    page.on("console", (message) => message.type() === "error" && this.faults.push(`console: ${message.text()}`));
  }

  ask(call, ...words) {
    return this.page.evaluate(([call, words]) => globalThis.peer[call](...words), [call, words]);
  }

  tail() {
    return `  ${this.name}: faults: ${this.faults}`;
  }
}

/** A js peer in a process of its own. */
export async function jsProcess(stage, name, options) {
  const peer = new JsProcess(name);
  return stage.attend(peer, () => peer.kill()).start(options);
}

/** The server of each stage's js pages. */
const sites = new WeakMap();

/** A js peer in a page of a profile of its own. */
export async function jsPage(stage, name, options) {
  if (!sites.has(stage)) sites.set(stage, site().then((server) => stage.attend(server, () => server.end())));
  const page = await (await stage.profile()).newPage();
  const peer = stage.attend(new JsPage(page, name), () => page.close());
  await page.goto((await sites.get(stage)).url);
  return peer.start(options);
}

/** Made once, by the first who serves it. */
let script;

/** Serves the js peer's page. */
async function site() {
  script ??= bundle(source("page.mjs"));
  const index = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/peer.js"></script>';
  return serve({ "/": index, "/peer.js": await script });
}
