// Which of many get lost, drawn once for each loss and not for each that passes.

import { Chance } from "../../soak/chance.mjs";

export class Losses {
  /** `share` of all get lost, each on its own. */
  constructor(share, seed) {
    this.share = share;
    this.chance = new Chance(seed);
    this.left = this.#gap();
  }

  /** How many pass until the next one that gets lost. */
  #gap() {
    if (this.share <= 0) return Infinity;
    return Math.floor(Math.log(1 - this.chance.next()) / Math.log(1 - this.share));
  }

  /** Whether the next one gets lost. */
  next() {
    if (this.left-- > 0) return false;
    this.left = this.#gap();
    return true;
  }
}
