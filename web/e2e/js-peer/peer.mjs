// What the tests ask of the js peer. Arguments and answers are plain values: they cross a process's or a page's edge.

import { peerIdFromString } from "@libp2p/peer-id";
import { PING_PROTOCOL } from "@libp2p/ping";
import { byteStream } from "@libp2p/utils";
import { multiaddr } from "@multiformats/multiaddr";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import * as Digest from "multiformats/hashes/digest";
import { startNode } from "./node.mjs";
import { verifyFrame } from "./verify-frame.mjs";

const ECHO = "/tincan-test/echo/1.0.0";
/** Lines that are kept; a test says fewer. */
const MOST_HEARD = 1000;
/** How long one question to the network may take. */
const LIMIT_MS = 30_000;
/** Bytes of one ping. */
const PING_BYTES = 32;
/** Bytes sent at once. */
const PART_BYTES = 8192;

const utf8 = (text) => new TextEncoder().encode(text);
const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const limit = () => ({ signal: AbortSignal.timeout(LIMIT_MS) });
/** A provider's key is a multihash here and any bytes in Tincan: what is both serves both. */
const asCid = (key) => CID.createV1(raw.code, Digest.decode(utf8(key)));

export class Peer {
  node;
  heard = [];
  #answers = new Map();
  discovered = new Set();

  /** Begins anew, with a key of its own. */
  async start(options) {
    await this.stop();
    this.heard = [];
    this.#answers.clear();
    this.discovered.clear();
    this.node = await startNode(options);
    this.node.services.pubsub.addEventListener("message", ({ detail }) => this.#hear(detail));
    this.node.addEventListener("peer:discovery", ({ detail }) => this.discovered.add(detail.id.toString()));
    await this.node.handle(ECHO, echo, { runOnLimitedConnection: true });
    return this.node.peerId.toString();
  }

  stop() {
    return this.node?.stop();
  }

  /** Dials a hub, hears who it is, and gets 32 bytes back over the ping protocol. */
  async meet(address) {
    const [connection, { detail: hub }] = await this.#dial(address);
    const stream = await connection.newStream(PING_PROTOCOL, limit());
    const pings = byteStream(stream);
    const sent = crypto.getRandomValues(new Uint8Array(PING_BYTES));
    await pings.write(sent, limit());
    const back = (await pings.read({ ...limit(), bytes: PING_BYTES })).subarray();
    stream.abort(new Error("answered"));
    return {
      peerId: connection.remotePeer.toString(),
      over: connection.remoteAddr.toString(),
      limited: connection.limits != null,
      agent: hub.agentVersion,
      version: hub.protocolVersion,
      protocols: hub.protocols,
      observed: hub.observedAddr?.toString(),
      ponged: back.every((byte, i) => byte === sent[i]),
    };
  }

  /** Joins a hub as any js-libp2p peer does: identified, in the routing table, pinged. */
  async join(address) {
    // Who is taken is pinged first, and a hub answers the latest ping stream of a peer alone: no second one meanwhile.
    const taken = this.#told(this.node.services.dht.routingTable, "peer:add", () => true);
    const [[connection]] = await Promise.all([this.#dial(address), taken]);
    await this.node.services.ping.ping(connection.remotePeer, limit());
    return connection.remotePeer.toString();
  }

  #dial(address) {
    const peerId = address.split("/p2p/").at(-1);
    const identified = this.#told(this.node, "peer:identify", ({ detail }) => detail.peerId.toString() === peerId);
    return Promise.all([this.node.dial(multiaddr(address), limit()), identified]);
  }

  /** The first event of a kind that fits. */
  #told(target, kind, fits) {
    return new Promise((resolve, reject) => {
      const { signal } = limit();
      target.addEventListener(kind, (event) => fits(event) && resolve(event), { signal });
      signal.addEventListener("abort", () => reject(new Error(`no ${kind} within ${LIMIT_MS / 1000} s`)));
    });
  }

  enter(room) {
    this.node.services.pubsub.subscribe(room);
  }

  /** Who of the connected peers is in a room, as they say. */
  members(room) {
    return this.node.services.pubsub.getSubscribers(room).map(String);
  }

  async say(room, text) {
    const { recipients } = await this.node.services.pubsub.publish(room, utf8(text));
    return recipients.map(String);
  }

  /** Says bytes that are no text. */
  async publish(room, bytes) {
    const { recipients } = await this.node.services.pubsub.publish(room, Uint8Array.from(bytes));
    return recipients.map(String);
  }

  /** Peers that told who they are. */
  found() {
    return [...this.discovered];
  }

  /** Says many payloads in a room, one after another; they come as base64. */
  async publishAll(room, payloads) {
    for (const payload of payloads) await this.node.services.pubsub.publish(room, fromBase64(payload));
  }

  /**
   * Gives everybody who says something on such a stream these very bytes, from now on; a stream that is `kept` stays open
   * after.
   */
  async answer(protocol, base64, kept = false) {
    const known = this.#answers.has(protocol);
    this.#answers.set(protocol, fromBase64(base64));
    if (known) return;
    const say = async (stream) => {
      await sendAll(stream, this.#answers.get(protocol));
      if (!kept) await stream.close(limit());
    };
    await this.node.handle(protocol, (stream) => {
      stream.addEventListener("message", () => say(stream).catch(() => {}), { once: true });
    });
  }

  /** What a room's payload is worth, as the code in docs/wire.md sees it. */
  verify(payload, room) {
    return judged(Uint8Array.from(payload), room);
  }

  /** Everything heard so far. */
  lines() {
    return this.heard;
  }

  put(key, value) {
    return answerers("PUT_VALUE", this.node.services.dht.put(utf8(key), utf8(value), limit()));
  }

  async get(key) {
    const found = (await events(this.node.services.dht.get(utf8(key), limit()))).filter(({ name }) => name === "VALUE");
    return found.length ? new TextDecoder().decode(found.at(-1).value) : null;
  }

  provide(key) {
    return answerers("ADD_PROVIDER", this.node.services.dht.provide(asCid(key), limit()));
  }

  async providers(key) {
    const found = (await events(this.node.services.dht.findProviders(asCid(key), limit()))).filter(({ name }) => name === "PROVIDER");
    return [...new Set(found.flatMap(({ providers }) => providers.map(({ id }) => id.toString())))];
  }

  /** Where others can dial this peer. */
  addresses() {
    return this.node.getMultiaddrs().map(String);
  }

  /** Sends a text to another js peer and answers what came back until the stream ended, however it did. */
  async echo(address, text) {
    const connection = await this.node.dial(multiaddr(address), limit());
    const stream = await connection.newStream(ECHO, { ...limit(), runOnLimitedConnection: true });
    const back = [];
    const heard = (async () => {
      for await (const part of stream) back.push(part.slice());
    })();
    const said = sendAll(stream, utf8(text)).then(() => stream.close(limit()));
    await Promise.allSettled([said, heard]);
    return new TextDecoder().decode(await new Blob(back).arrayBuffer());
  }

  /** Milliseconds to a connected peer and back. */
  ping(peerId) {
    return this.node.services.ping.ping(peerIdFromString(peerId), limit());
  }

  /** The bounds of the connection to a peer: none for a direct one. */
  limits(peerId) {
    const [{ limits }] = this.node.getConnections().filter((one) => one.remotePeer.toString() === peerId);
    if (!limits) return null;
    return { bytes: Number(limits.bytes), seconds: limits.seconds };
  }

  async #hear({ topic, from, data }) {
    const line = { room: topic, from: from?.toString() };
    if (data[0] === 0xff) {
      line.frame = await judged(data, topic);
    } else {
      line.text = new TextDecoder().decode(data);
    }
    this.heard = [...this.heard, line].slice(-MOST_HEARD);
  }
}

/** All that happens in a query; an error at any peer is one of the query's. */
async function events(query) {
  const all = [];
  for await (const event of query) {
    if (event.name === "QUERY_ERROR") throw event.error;
    all.push(event);
  }
  return all;
}

/** Who answered, or was told, a message of this kind. */
async function answerers(kind, query) {
  const answers = (await events(query)).filter(({ name, messageName }) => name === "PEER_RESPONSE" && messageName === kind);
  return answers.map(({ from }) => from.toString());
}

const judged = (payload, room) => verifyFrame(payload, room).then(asText, (error) => ({ refused: error.message }));

/** Numbers of 64 bits as text: JSON has none. */
const asText = (frame) =>
  Object.fromEntries(Object.entries(frame).map(([name, value]) => [name, typeof value === "bigint" ? `${value}` : value]));

/** Sends back what comes, and ends when the other side does. */
async function echo(stream) {
  for await (const part of stream) await sendAll(stream, part.subarray());
  await stream.close(limit());
}

/** Sends as fast as the stream drains. */
async function sendAll(stream, bytes) {
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    if (!stream.send(bytes.subarray(at, at + PART_BYTES))) await stream.onDrain(limit());
  }
}
