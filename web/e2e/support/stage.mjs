// One test's cast: hubs, terminals and pages, all ended with it, all heard when it fails.

import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { chromium } from "playwright-core";
import { BROWSER } from "./browser.mjs";
import { Person } from "./page.mjs";
import { Console, Hub, Terminal } from "./process.mjs";
import { Wire } from "./proxy.mjs";
import { slowPath } from "../transports/proxy.mjs";
import { freePorts } from "./wait.mjs";

/** A name that each browser may know its own way. */
const FAR_NAME = "far.test";
/** No test may take longer. */
const TEST_LIMIT_MS = 300_000;

/** A test with a stage of its own; the consoles of its pages are checked at the end. `skip` says why it cannot run. */
export function scenario(name, body, { skip = false } = {}) {
  test(name, { timeout: TEST_LIMIT_MS, skip }, async () => {
    const stage = new Stage();
    try {
      await body(stage);
      for (const person of stage.people) person.assertClean();
    } catch (error) {
      process.stderr.write(`\n${name}: what everybody showed at the end\n${await stage.tail()}\n`);
      throw error;
    } finally {
      await stage.clear();
    }
  });
}

/** The link of a room. */
export const address = (base, room, query = "") => `${base}${query}#room=${encodeURIComponent(room)}`;

export class Stage {
  people = [];
  #cast = [];
  #ends = [];

  /** A directory that goes with the test. */
  async directory() {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), "tincan-e2e-"));
    this.#ends.push(() => fs.rm(dir, { recursive: true, force: true, maxRetries: 5 }));
    return dir;
  }

  /** A hub, on these ports or on any that are free, with the text of a `--config` of its own. */
  async hub(options) {
    const hub = await Hub.start(await this.directory(), options);
    this.#cast.push(hub);
    this.#ends.push(() => hub.kill());
    return hub;
  }

  /** A terminal in a room, connected to these addresses; with a directory, as who it says; maybe of another binary. */
  terminal(nick, room, addresses, more, dir, binary) {
    return this.#process(new Terminal(nick, room, addresses, more, dir, binary));
  }

  /** `tincan kv`, connected to these addresses. */
  console(name, addresses, binary) {
    return this.#process(new Console(name, addresses, binary));
  }

  #process(process) {
    return this.attend(process, () => process.kill());
  }

  /** Takes somebody into the cast, and ends them with the test. */
  attend(one, end) {
    this.#cast.push(one);
    this.#ends.push(end);
    return one;
  }

  /** A wire to one of the hub's ports, and the query that makes a page use it alone. */
  async wire(hub) {
    const wire = await Wire.to(hub.ports.ws);
    this.#ends.push(() => wire.cut());
    wire.query = `?hub=${encodeURIComponent(`/ip4/127.0.0.1/tcp/${wire.port}/ws/p2p/${hub.peerId}`)}`;
    return wire;
  }

  /** Wires to the hub's page and to its peers, and a browser that knows the hub by a name that leads through them. */
  async road(hub, options) {
    const ends = { page: hub.ports.http, peers: hub.ports.ws };
    const road = { base: `http://${FAR_NAME}:${hub.ports.http}/` };
    for (const [end, port] of Object.entries(ends)) {
      road[end] = await Wire.to(port, options);
      this.#ends.push(() => road[end].cut());
    }
    // A peer that was once met is also dialled where it says it is, past the wires.
    const rules = Object.entries(ends).flatMap(([end, port]) => [
      `MAP ${FAR_NAME}:${port} 127.0.0.1:${road[end].port}`,
      `MAP 127.0.0.1:${port} ~NOTFOUND`,
    ]);
    const browser = await chromium.launch({ ...BROWSER, args: [...BROWSER.args, `--host-resolver-rules=${rules}`] });
    this.#ends.push(() => browser.close());
    road.somebody = async (name, options) => this.somebody(name, await browser.newContext(options));
    return road;
  }

  /** Long paths to the hub's page and to its `peers`. The hub starts anew and announces their near ends first. */
  async far(hub, settings) {
    const page = await slowPath({ tcp: hub.ports.http }, settings);
    const peers = await slowPath({ tcp: hub.ports.ws, udp: hub.ports.webrtc }, settings);
    this.#ends.push(() => page.end(), () => peers.end());
    const [certhash] = /\/certhash\/[\w-]+/.exec(hub.webrtc);
    const near = [`/ip4/127.0.0.1/tcp/${peers.tcp}/ws`, `/ip4/127.0.0.1/udp/${peers.udp}/webrtc-direct${certhash}`];
    await hub.kill();
    await hub.configure(`external = ${JSON.stringify(near)}\n`);
    await hub.start();
    return { base: `http://127.0.0.1:${page.tcp}/`, peers };
  }

  /** A browser profile: everything a page stores lasts as long as it. */
  async profile(options = {}) {
    this.browser ??= chromium.launch(BROWSER).then((browser) => {
      this.#ends.push(() => browser.close());
      return browser;
    });
    return (await this.browser).newContext(options);
  }

  /** A profile on disk, as a person has. */
  async profileOnDisk() {
    const context = await chromium.launchPersistentContext(await this.directory(), BROWSER);
    this.#ends.push(() => context.close());
    return context;
  }

  /** A profile whose tabs are hidden behind each other, as a person's are: playwright shows all pages of its own at once. */
  async tabs() {
    const [port] = await freePorts(1);
    const args = [...BROWSER.args, `--remote-debugging-port=${port}`];
    const browser = await chromium.launch({ ...BROWSER, args });
    this.#ends.push(() => browser.close());
    const seen = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true });
    return seen.contexts()[0];
  }

  /** Somebody before an empty tab, in a profile of their own or the given one. */
  async somebody(name, profile, options) {
    const person = new Person(await (profile ?? (await this.profile(options))).newPage(), name);
    this.people.push(person);
    this.#cast.push(person);
    return person;
  }

  /** Somebody at a page of the hub, online, in a room. Without a nick they keep what the profile has. */
  async person(hub, nick, room, { profile, query = "", base = hub.page } = {}) {
    const person = await this.somebody(nick ?? "page", profile);
    await person.open(address(base, room, query), nick);
    return person;
  }

  async tail() {
    return (await Promise.all(this.#cast.map((one) => one.tail()))).join("\n");
  }

  async clear() {
    for (const end of this.#ends.reverse()) await end();
  }
}
