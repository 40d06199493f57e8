// Chance that can be had again: the same seed draws the same numbers.

import { createHash } from "node:crypto";

export class Chance {
  #drawn = 0;

  constructor(seed) {
    this.seed = seed;
  }

  /** From 0 up to, not including, 1. */
  next() {
    const digest = createHash("sha256").update(`${this.seed} ${this.#drawn++}`).digest();
    return digest.readUInt32BE(0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** One of the names, each as likely as its share of the whole. */
  pick(shares) {
    let left = this.next() * Object.values(shares).reduce((sum, share) => sum + share, 0);
    for (const [name, share] of Object.entries(shares)) {
      if (left < share) return name;
      left -= share;
    }
    return Object.keys(shares).at(-1);
  }
}
