// `globalThis.trial` for whoever drives the page: `?transports=ours|published`, `&log=debug` to hear more.

import init, { Trial } from "./tincan_trial_page.js";

const { transports = "ours", log = "warn" } = Object.fromEntries(new URLSearchParams(location.search));

const { memory } = await init();
const rust = new Trial(transports, log);

/** Whoever drives asks for `connected` before it ends the hub. */
let connected;

globalThis.trial = {
  join: (address, { pings = 1 } = {}) => rust.join(address, pings),
  bulk: (address, direction, bytes) => rust.bulk(address, direction, bytes),
  cycles: (address, count) => rust.cycles(address, count),
  streams: (address, count, atOnce) => rust.streams(address, count, atOnce),
  unread: (address, bytes) => rust.unread(address, bytes),
  watch(address) {
    const gone = new Promise((resolve, reject) => {
      connected = new Promise((stands) => rust.watch(address, stands).then(resolve, reject));
    });
    return gone;
  },
  /** Bytes that the module has taken; they only grow. */
  memory: () => memory.buffer.byteLength,
  /** Ends when the connection that is watched stands. */
  watching: () => connected,
};
