// A wire between a page and its hub that can be cut while the hub lives, answers late, or is slow.

import net from "node:net";
import { Transform } from "node:stream";
import { passed } from "./wait.mjs";

/** How often a slow wire hands something on. */
const PIECES_PER_SECOND = 20;
/** Bytes that wait on a slow wire, besides what the system's sockets hold. */
const HELD_BYTES = 32 * 1024;

/** Hands on what it gets so much later, in order. */
const later = (ms) =>
  new Transform({
    transform(chunk, _, done) {
      setTimeout(() => this.push(chunk), ms);
      done();
    },
    flush: (done) => void setTimeout(done, ms),
  });

/** Hands on what it gets at the wire's rate, in order. */
const paced = (wire) =>
  new Transform({
    highWaterMark: HELD_BYTES,
    async transform(chunk, _, done) {
      for (let at = 0; at < chunk.length; ) {
        const bytes = wire.bytesPerSecond ? Math.ceil(wire.bytesPerSecond / PIECES_PER_SECOND) : chunk.length;
        const piece = chunk.subarray(at, at + bytes);
        at += piece.length;
        wire.brought += piece.length;
        this.push(piece);
        if (wire.bytesPerSecond) await passed((piece.length / wire.bytesPerSecond) * 1000);
      }
      done();
    },
  });

export class Wire {
  /** To a port of this machine; what comes from there arrives `lateMs` later. */
  static async to(port, { lateMs = 0 } = {}) {
    const wire = new Wire();
    Object.assign(wire, { target: port, lateMs, taken: 0, brought: 0 });
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
      else far.pipe(paced(this)).pipe(near);
    });
    await new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.port ?? 0, "127.0.0.1", resolve);
    });
    this.port = this.server.address().port;
  }

  /** From now on what comes from the hub takes its time, also on the connections that there are. */
  slow(bytesPerSecond) {
    this.bytesPerSecond = bytesPerSecond;
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
