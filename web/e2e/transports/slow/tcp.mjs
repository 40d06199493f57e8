// A slow path for streams: bytes come later, and whole round trips later when they were in a lost segment.

import net from "node:net";
import { DelayLine } from "./delay.mjs";
import { Losses } from "./losses.mjs";

const LOOPBACK = "127.0.0.1";
/** Bytes of one segment. */
const SEGMENT_BYTES = 1460;
/** Bytes under way to one end before the other stops sending, as a receive window does. */
const WINDOW_BYTES = 4 * 2 ** 20;
const END = Symbol("end");

export async function slowTcp(target, settings) {
  const ends = new Set();
  let connections = 0;
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = net.connect({ port: target, host: LOOPBACK, allowHalfOpen: true, noDelay: true });
    const name = connections++;
    const ways = [new Way(near, far, settings, `there ${name}`), new Way(far, near, settings, `back ${name}`)];
    for (const end of [near, far]) {
      ends.add(end);
      const gone = () => {
        ends.delete(end);
        for (const way of ways) way.line.cut();
        near.destroy();
        far.destroy();
      };
      end.on("error", gone);
      end.on("close", () => (ends.delete(end), end.readableEnded || gone()));
    }
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, LOOPBACK, resolve);
  });
  const end = () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const one of ends) one.destroy();
    return closed;
  };
  return { port: server.address().port, connections: () => connections, end };
}

/** What one end says, on its way to the other. */
class Way {
  /** When the last byte so far arrives. */
  #due = 0;
  #underWay = 0;
  /** Bytes of the segment that is being filled, and whether it gets lost. */
  #filled = SEGMENT_BYTES;
  #lost = false;

  constructor(from, to, { delayMs, rttMs, loss, seed }, name) {
    Object.assign(this, { from, to, delayMs, rttMs, losses: new Losses(loss, `${seed} tcp ${name}`) });
    this.line = new DelayLine((piece) => this.#arrive(piece));
    from.on("data", (bytes) => this.#take(bytes));
    from.on("end", () => this.#send(END, false));
  }

  #take(bytes) {
    this.#underWay += bytes.length;
    if (this.#underWay > WINDOW_BYTES) this.from.pause();
    // Whole runs of segments that pass go as one.
    let begun = 0;
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === SEGMENT_BYTES) {
        const lost = this.losses.next();
        if (lost !== this.#lost && at > begun) {
          this.#send(bytes.subarray(begun, at), this.#lost);
          begun = at;
        }
        this.#lost = lost;
        this.#filled = 0;
      }
      const step = Math.min(SEGMENT_BYTES - this.#filled, bytes.length - at);
      this.#filled += step;
      at += step;
    }
    this.#send(bytes.subarray(begun), this.#lost);
    // What is said later goes in a segment of its own.
    this.#filled = SEGMENT_BYTES;
  }

  #send(piece, lost) {
    const arrives = performance.now() + this.delayMs + (lost ? this.rttMs : 0);
    this.#due = Math.max(this.#due, arrives);
    this.line.send(piece, this.#due);
  }

  #arrive(piece) {
    if (piece === END) return this.to.end();
    const taken = () => {
      this.#underWay -= piece.length;
      if (this.#underWay <= WINDOW_BYTES && this.from.isPaused()) this.from.resume();
    };
    this.to.write(piece, taken);
  }
}
