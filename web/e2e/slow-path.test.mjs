// The slow path that transports are measured on delays and loses what it says.

import assert from "node:assert/strict";
import dgram from "node:dgram";
import net from "node:net";
import test from "node:test";
import { LOSS, RTT_MS, slowPath } from "./transports/proxy.mjs";
import { median } from "./support/report.mjs";

/** A machine under load is late, never early. */
const LATE_MS = 200;
const LIMIT_MS = 60_000;
const DATAGRAMS = 4000;
/** How many datagrams are on their way at a time. */
const FLIGHT = 25;
/** What a socket of the test holds: nothing may get lost but on the path. */
const BUFFER_BYTES = 2 ** 20;

const told = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));

const socket = () => dgram.createSocket({ type: "udp4", recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES });

async function udpEcho(t) {
  const echo = socket();
  echo.on("message", (message, { port }) => echo.send(message, port, "127.0.0.1"));
  echo.bind(0, "127.0.0.1");
  await told(echo, "listening");
  t.after(() => echo.close());
  return echo.address().port;
}

async function tcpEcho(t) {
  const echo = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  echo.listen(0, "127.0.0.1");
  await told(echo, "listening");
  t.after(() => echo.close());
  return echo.address().port;
}

async function through(t, ports, settings) {
  const path = await slowPath(ports, settings);
  t.after(() => path.end());
  return path;
}

test("a datagram comes back one round trip later, or never", { timeout: LIMIT_MS }, async (t) => {
  const { udp } = await through(t, { udp: await udpEcho(t) });
  const client = socket();
  t.after(() => client.close());
  const sent = [];
  const took = new Map();
  const say = (number) => {
    const message = Buffer.alloc(1200);
    message.writeUInt32BE(number);
    sent[number] ??= performance.now();
    client.send(message, udp, "127.0.0.1");
  };
  // The last one tells that those before it are here or lost; it is said until it comes back.
  const over = new Promise((resolve) => {
    client.on("message", (message) => {
      const number = message.readUInt32BE();
      if (number === DATAGRAMS) resolve();
      else took.set(number, performance.now() - sent[number]);
    });
  });
  let next = 0;
  const saying = setInterval(() => {
    if (next === DATAGRAMS) say(DATAGRAMS);
    for (let n = 0; n < FLIGHT && next < DATAGRAMS; n++) say(next++);
  }, 5);
  await over;
  clearInterval(saying);

  const all = [...took.values()];
  assert.ok(Math.min(...all) >= RTT_MS - 1, `one took ${Math.min(...all)} ms`);
  assert.ok(median(all) < RTT_MS + LATE_MS, `half took ${median(all)} ms and more`);
  // The seed is fixed: what gets lost is the same in every run.
  const lost = 1 - all.length / DATAGRAMS;
  const expected = 1 - (1 - LOSS) ** 2;
  assert.ok(Math.abs(lost - expected) < 0.01, `${lost * 100} % were lost, not ${expected * 100} %`);
});

test("clients over UDP do not hear each other's answers", { timeout: LIMIT_MS }, async (t) => {
  const { udp } = await through(t, { udp: await udpEcho(t) }, { loss: 0 });
  const answers = ["one", "other"].map(async (name) => {
    const client = socket();
    t.after(() => client.close());
    client.send(name, udp, "127.0.0.1");
    return String(await told(client, "message"));
  });
  assert.deepEqual(await Promise.all(answers), ["one", "other"]);
});

test("a stream comes back whole, in order, one round trip later", { timeout: LIMIT_MS }, async (t) => {
  const { tcp } = await through(t, { tcp: await tcpEcho(t) });
  const client = net.connect(tcp, "127.0.0.1");
  const data = Buffer.alloc(8 * 2 ** 20, (n) => n % 251);
  for (let n = 0; n < data.length; n += 4) data.writeUInt32BE(n, n);
  const begun = performance.now();
  client.end(data);
  const heard = [];
  let first;
  client.on("data", (bytes) => {
    first ??= performance.now() - begun;
    heard.push(bytes);
  });
  await told(client, "end");
  assert.ok(Buffer.concat(heard).equals(data));
  assert.ok(first >= RTT_MS - 1, `the first byte came after ${first} ms`);
});

test("over TCP a loss is a round trip more", { timeout: LIMIT_MS }, async (t) => {
  const took = async (loss) => {
    const { tcp } = await through(t, { tcp: await tcpEcho(t) }, { loss });
    const client = net.connect(tcp, "127.0.0.1");
    t.after(() => client.destroy());
    const all = [];
    for (let n = 0; n < 10; n++) {
      const begun = performance.now();
      client.write("one segment");
      await told(client, "data");
      all.push(performance.now() - begun);
    }
    return all;
  };
  const [whole, lossy] = [await took(0), await took(1 - Number.EPSILON)];
  const inBounds = (all, ms) => Math.min(...all) >= ms - 1 && median(all) < ms + LATE_MS;
  assert.ok(inBounds(whole, RTT_MS), `${whole}`);
  // Lost each way.
  assert.ok(inBounds(lossy, 3 * RTT_MS), `${lossy}`);
});

test("an end that breaks off ends the other", { timeout: LIMIT_MS }, async (t) => {
  const server = net.createServer((socket) => socket.on("data", () => socket.resetAndDestroy()));
  server.listen(0, "127.0.0.1");
  await told(server, "listening");
  t.after(() => server.close());
  const { tcp } = await through(t, { tcp: server.address().port });
  const client = net.connect(tcp, "127.0.0.1");
  client.on("error", () => {});
  client.write("x");
  await told(client, "close");
});
