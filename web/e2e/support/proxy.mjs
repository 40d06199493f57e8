// A wire between a page and its hub that can be cut while the hub lives, or answers late.

import net from "node:net";
import { Transform } from "node:stream";

/** Hands on what it gets so much later, in order. */
const later = (ms) =>
  new Transform({
    transform(chunk, _, done) {
      setTimeout(() => this.push(chunk), ms);
      done();
    },
    flush: (done) => void setTimeout(done, ms),
  });

export class Wire {
  /** To a port of this machine; what comes from there arrives `lateMs` later. */
  static async to(port, { lateMs = 0 } = {}) {
    const wire = new Wire();
    Object.assign(wire, { target: port, lateMs, taken: 0 });
    wire.ends = new Set();
    await wire.mend();
    return wire;
  }

  /** Takes connections, on the same port as before. */
  async mend() {
    this.server = net.createServer((near) => {
      this.taken += 1;
      const far = net.connect(this.target, "127.0.0.1");
      for (const [from, to] of [[near, far], [far, near]]) {
        this.ends.add(from);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.ends.delete(from);
          // What is still under way may arrive.
          if (!this.lateMs) to.destroy();
        });
      }
      near.pipe(far);
      if (this.lateMs) far.pipe(later(this.lateMs)).pipe(near);
      else far.pipe(near);
    });
    await new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.port ?? 0, "127.0.0.1", resolve);
    });
    this.port = this.server.address().port;
  }

  /** Nothing passes any more on the connections that there are, and nobody is told; new ones work. */
  stall() {
    for (const end of this.ends) end.unpipe().pause();
  }

  /** Closes every connection and takes no more. */
  async cut() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.ends.forEach((end) => end.destroy());
    await closed;
  }
}
