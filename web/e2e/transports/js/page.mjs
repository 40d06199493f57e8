// What a driver asks of the js-libp2p page. Every call has a node of its own, stopped at the end.

import { multiaddr } from "@multiformats/multiaddr";
import { bulk, unread } from "./bulk.mjs";
import { echo } from "./echo.mjs";
import { join, told } from "./join.mjs";
import { startNode } from "./node.mjs";

/** How long a join may take. */
const JOIN_LIMIT_MS = 10_000;
/** How long all else may take; the driver has its own bounds. */
const LIMIT_MS = 600_000;
/** How long a sender has to fill everything between it and who does not read. */
const FILLING_MS = 3000;
const ECHO_BYTES = 1024;

async function withNode(limitMs, use) {
  const node = await startNode();
  const signal = AbortSignal.timeout(limitMs);
  const dial = (address) => node.dial(multiaddr(address), { signal });
  try {
    return await use(node, dial, signal);
  } finally {
    await node.stop();
  }
}

/** With a connection that stands and is identified, so that nothing else goes on meanwhile. */
const connected = (address, use) =>
  withNode(LIMIT_MS, async (node, dial, signal) => {
    const identified = told(node, "peer:identify", () => true, signal);
    const connection = await dial(address);
    await identified;
    return use(connection, signal, node);
  });

/** Whoever drives asks for `watching` before it ends the hub. */
let watching;

globalThis.trial = {
  join: (address, { pings = 1 } = {}) =>
    withNode(JOIN_LIMIT_MS, (node, dial, signal) => join(node, address, { dial: () => dial(address), pings, signal })),

  bulk: (address, direction, bytes) => connected(address, (connection, signal) => bulk(connection, direction, bytes, signal)),

  streams: (address, count, atOnce) =>
    connected(address, async (connection, signal) => {
      const outcome = { ok: 0, failed: 0 };
      let left = count;
      const one = async () => {
        while (left-- > 0) {
          try {
            await echo(connection, ECHO_BYTES, signal);
            outcome.ok++;
          } catch (error) {
            outcome.failed++;
            outcome.why ??= error.message;
          }
        }
      };
      await Promise.all(Array.from({ length: atOnce }, one));
      return outcome;
    }),

  cycles: (address, count) =>
    withNode(LIMIT_MS, async (node, dial, signal) => {
      for (let n = 0; n < count; n++) {
        const identified = told(node, "peer:identify", () => true, signal);
        const connection = await dial(address);
        await identified;
        const gone = told(node, "connection:close", ({ detail }) => detail.id === connection.id, signal);
        await Promise.all([connection.close({ signal }), gone]);
      }
    }),

  unread: (address, bytes) =>
    connected(address, (connection, signal) => {
      const filled = () => new Promise((resolve) => setTimeout(resolve, FILLING_MS));
      return unread(connection, bytes, filled, signal);
    }),

  watch(address) {
    const stands = Promise.withResolvers();
    watching = stands.promise;
    return connected(address, async (connection, signal, node) => {
      const gone = told(node, "connection:close", ({ detail }) => detail.id === connection.id, signal);
      stands.resolve();
      await gone;
      return { ms: Date.now() };
    }).catch((error) => {
      stands.reject(error);
      throw error;
    });
  },

  /** Ends when the connection that is watched stands. */
  watching: () => watching,
};
