// Where peers dial: hubs, of each kind one at a time, and far paths to them.

import { slowPath } from "../proxy.mjs";
import { PATHS } from "./paths.mjs";
import { startHub } from "./programs.mjs";

const TCP = /\/tcp\/(\d+)/;
const UDP = /\/udp\/(\d+)/;

export class Places {
  /** How often a hub ended that nobody had ended. */
  fallen = 0;
  #known = {};

  constructor(programs) {
    this.programs = programs;
  }

  /** A hub of this kind that lives: `{ hub, far }`, where `far` are the paths to it that were asked for. */
  async #place(name) {
    if (this.#known[name]?.hub.process.ended) {
      this.fallen++;
      await this.#end(name);
    }
    return (this.#known[name] ??= { hub: await startHub(name, this.programs[name]), far: {} });
  }

  /** `{ ws, webrtc, process }` of a hub, its addresses those by which this path leads to it. */
  async reached(name, path) {
    const place = await this.#place(name);
    const { ws, webrtc, process } = place.hub;
    if (!PATHS[path]) return { ws, webrtc, process };
    const [tcp, udp] = [TCP.exec(ws)[1], UDP.exec(webrtc)[1]].map(Number);
    const far = (place.far[path] ??= await slowPath({ tcp, udp }, PATHS[path]));
    return { ws: ws.replace(TCP, `/tcp/${far.tcp}`), webrtc: webrtc.replace(UDP, `/udp/${far.udp}`), process };
  }

  async #end(name) {
    const { hub, far } = this.#known[name];
    delete this.#known[name];
    for (const path of Object.values(far)) await path.end();
    await hub.end();
  }

  async end() {
    for (const name of Object.keys(this.#known)) await this.#end(name);
  }
}
