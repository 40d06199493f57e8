// A slow path for datagrams. Each client has a socket of its own towards the target, as behind a NAT.

import dgram from "node:dgram";
import { DelayLine } from "./delay.mjs";
import { Losses } from "./losses.mjs";

const LOOPBACK = "127.0.0.1";
/** Clients whose answers find their way back; the one that is quiet for longest makes room. */
const MOST_CLIENTS = 1024;
/** What a socket holds until it is read: an event loop that is late must lose nothing. */
const BUFFER_BYTES = 4 * 2 ** 20;

export async function slowUdp(target, { delayMs, loss, seed }) {
  const near = await bound();
  const clients = new Map();
  const handshakes = new Set();

  const way = (name, arrive) => {
    const line = new DelayLine(arrive);
    const losses = new Losses(loss, `${seed} udp ${name}`);
    const send = (message, ...to) => losses.next() || line.send([message, ...to], performance.now() + delayMs);
    return { line, send };
  };
  const there = way("there", ([message, far]) => far.send(message));
  const back = way("back", ([message, port]) => near.send(message, port, LOOPBACK));

  const client = (port) => {
    let far = clients.get(port);
    if (far) clients.delete(port);
    else if (clients.size >= MOST_CLIENTS) forget(clients.keys().next().value);
    far ??= new Far(target, (message) => back.send(message, port));
    clients.set(port, far);
    return far;
  };
  const forget = (port) => {
    const far = clients.get(port);
    clients.delete(port);
    return far.end();
  };

  near.on("message", (message, { port }) => {
    if (isClientHello(message)) handshakes.add(port);
    there.send(message, client(port));
  });
  const end = async () => {
    there.line.cut();
    back.line.cut();
    await Promise.all([closed(near), ...[...clients.keys()].map(forget)]);
  };
  return { port: near.address().port, handshakes: () => handshakes.size, end };
}

/** A client's socket towards the target. */
class Far {
  #socket;

  constructor(port, hear) {
    this.ready = this.#connect(port, hear);
  }

  async #connect(port, hear) {
    const socket = await bound();
    socket.on("message", hear);
    await new Promise((resolve, reject) => socket.connect(port, LOOPBACK, (error) => (error ? reject(error) : resolve())));
    this.#socket = socket;
  }

  send(message) {
    if (this.#socket) this.#socket.send(message);
    else this.ready.then(() => this.#socket?.send(message));
  }

  async end() {
    await this.ready;
    const socket = this.#socket;
    this.#socket = undefined;
    this.send = () => {};
    await closed(socket);
  }
}

async function bound() {
  const lookup = (host, _, found) => found(null, host, 4);
  const socket = dgram.createSocket({ type: "udp4", lookup, recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES });
  // A datagram that nobody takes is lost, as on any path.
  socket.on("error", () => {});
  await new Promise((resolve) => socket.bind(0, LOOPBACK, resolve));
  return socket;
}

/** A record with the first message of a DTLS handshake. */
const isClientHello = (message) => message[0] === 22 && message[13] === 1;

const closed = (socket) => new Promise((resolve) => socket.close(resolve));
