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

/** Ports that are free now and differ from each other. */
export async function freePorts(count) {
  const held = await Promise.all(
    Array.from({ length: count }, () =>
      new Promise((resolve, reject) => {
        const server = net.createServer();
        server.once("error", reject);
        server.listen(0, "127.0.0.1", () => resolve(server));
      }),
    ),
  );
  const ports = held.map((server) => server.address().port);
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
