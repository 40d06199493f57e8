// Waiting for what happens, always with a deadline, never for time to pass.

import net from "node:net";

/** How often a condition is looked at. */
const LOOK_EVERY_MS = 25;
/** How long anything may take that has no bound of its own. */
export const PATIENCE_MS = 30_000;

/** Asks `probe` until it answers something true, and answers that. The last look comes after the deadline. */
export async function until(what, probe, within = PATIENCE_MS) {
  const deadline = performance.now() + within;
  for (;;) {
    const last = performance.now() >= deadline;
    const answer = await probe();
    if (answer) return answer;
    if (last) throw new Error(`not within ${within / 1000} s: ${typeof what === "function" ? await what() : what}`);
    await passed(LOOK_EVERY_MS);
  }
}

/** A time that belongs to the story told, like "cut off for 20 s"; never a way to wait for something. */
export const passed = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const hold = (port) =>
  new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });

/** Below those that systems give to whoever dials, UDP too: none is taken between the choice and its use. */
const QUIET_PORTS = [20_000, 32_000];

/** Ports that are free now and differ from each other, from this range. */
export async function freePorts(count, range = QUIET_PORTS) {
  const candidates = shuffled(range).values();
  const held = [];
  while (held.length < count) {
    const port = candidates.next().value;
    if (port === undefined) throw new Error(`no ${count} free ports from ${range[0]} to ${range[1]}`);
    const server = await hold(port).catch((error) => {
      if (error.code !== "EADDRINUSE") throw error;
    });
    if (server) held.push(server);
  }
  const ports = held.map((server) => server.address().port);
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function shuffled([first, last]) {
  const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const keys = new Map(numbers.map((number) => [number, Math.random()]));
  return numbers.sort((a, b) => keys.get(a) - keys.get(b));
}
