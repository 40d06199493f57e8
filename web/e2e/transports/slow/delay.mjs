// What is under way: handed on when its time has come, in the order in which it was sent.

/** How many are handed on before others get a turn. */
const MOST_AT_ONCE = 256;
/** Places that are left behind in the queue before it is made shorter. */
const MOST_BEHIND = 4096;

export class DelayLine {
  #queue = [];
  #first = 0;
  #armed = false;

  constructor(arrive) {
    this.arrive = arrive;
  }

  /** `due` is on the clock of `performance.now()` and never goes back. */
  send(thing, due) {
    this.#queue.push({ thing, due });
    if (!this.#armed) this.#arm(due - performance.now());
  }

  /** Nothing more arrives. */
  cut() {
    this.#queue = [];
    this.#first = 0;
    this.arrive = () => {};
  }

  #arm(inMs) {
    this.#armed = true;
    const turn = () => this.#turn();
    // One timer for all: what is due within its millisecond goes along with it.
    if (inMs > 0) setTimeout(turn, inMs);
    else setImmediate(turn);
  }

  #turn() {
    this.#armed = false;
    const now = performance.now();
    for (let n = 0; n < MOST_AT_ONCE && this.#queue[this.#first]?.due <= now; n++) {
      const { thing } = this.#queue[this.#first];
      this.#queue[this.#first++] = undefined;
      this.arrive(thing);
    }
    if (this.#first > MOST_BEHIND) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    const next = this.#queue[this.#first];
    if (next) this.#arm(next.due - performance.now());
  }
}
