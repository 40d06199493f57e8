// Where pages dial: a hub of which there is one at a time, and a slow path to it.

import { slowPath } from "../proxy.mjs";

const TCP = /\/tcp\/(\d+)/;
const UDP = /\/udp\/(\d+)/;

export class Place {
  /** How often a hub ended that nobody had ended. */
  fallen = 0;

  /** `start` starts a hub. */
  constructor(start) {
    this.start = start;
  }

  /** Addresses by path and transport, of a hub that lives. */
  async addresses() {
    if (this.hub?.process.ended) {
      this.fallen++;
      await this.end();
    }
    if (!this.hub) {
      this.hub = await this.start();
      const { ws, webrtc } = this.hub;
      const [tcp, udp] = [TCP.exec(ws)[1], UDP.exec(webrtc)[1]].map(Number);
      this.slow = await slowPath({ tcp, udp });
      const far = { ws: ws.replace(TCP, `/tcp/${this.slow.tcp}`), webrtc: webrtc.replace(UDP, `/udp/${this.slow.udp}`) };
      this.known = { loopback: { ws, webrtc }, slow: far };
    }
    return this.known;
  }

  async end() {
    const { hub, slow } = this;
    this.hub = this.slow = undefined;
    await slow?.end();
    await hub?.end();
  }
}
