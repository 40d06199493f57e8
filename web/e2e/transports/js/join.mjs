// Each protocol of a trial once, over a connection that did not stand before.

import { PING_PROTOCOL } from "@libp2p/ping";
import { byteStream } from "@libp2p/utils";
import { ask, echo } from "./echo.mjs";

const TOPIC = "trial";
const RECORD = { key: "trial", value: "hello" };
const PROTOCOL_VERSION = "/trial/1";
const PING_BYTES = 32;
const ECHO_BYTES = 4096;
/** A GET in the messages of Kademlia. */
const GET_VALUE = "GET_VALUE";

const utf8 = (text) => new TextEncoder().encode(text);

/** The first event of a kind that fits. */
export function told(target, kind, fits, signal) {
  const promise = new Promise((resolve, reject) => {
    const listening = new AbortController();
    const end = (then, what) => (listening.abort(), then(what));
    target.addEventListener(kind, (event) => fits(event) && end(resolve, event), listening);
    signal.addEventListener("abort", () => end(reject, new Error(`no ${kind}`)), listening);
  });
  promise.catch(() => {}); // told by whoever awaits it
  return promise;
}

const after = (begun, promise) => {
  const at = promise.then((value) => ({ value, ms: performance.now() - begun }));
  at.catch(() => {});
  return at;
};

/** Names the step that fails. */
const step = (name, promise) =>
  promise.catch((error) => {
    throw new Error(`${name}: ${error.message}`);
  });

/** Joins the hub that the address ends in. */
export async function join(node, address, { dial, pings, signal }) {
  const hub = address.split("/p2p/").at(-1);
  const isHub = (peer) => peer.toString() === hub;
  const { pubsub, dht } = node.services;
  const begun = performance.now();
  const at = (target, kind, fits) => after(begun, told(target, kind, fits, signal));
  const seen = {
    identified: at(node, "peer:identify", ({ detail }) => isHub(detail.peerId)),
    routed: at(dht.routingTable, "peer:add", ({ detail }) => isHub(detail)),
    subscribed: at(pubsub, "subscription-change", ({ detail }) => isHub(detail.peerId) && subscribes(detail)),
  };
  pubsub.subscribe(TOPIC);
  const dialled = await step("dial", after(begun, dial()));
  const connection = dialled.value;
  const subscribed = await step("subscription", seen.subscribed);
  const message = await step("room", after(begun, greet(pubsub, node.peerId.toString(), signal)));
  const { value: identified } = await step("identify", seen.identified);
  const { protocolVersion } = identified.detail;
  if (protocolVersion !== PROTOCOL_VERSION) throw new Error(`identify: it speaks ${protocolVersion}, not ${PROTOCOL_VERSION}`);
  // Who enters the table is pinged; a hub answers the latest ping stream of a peer alone.
  await step("routing table", seen.routed);
  const ping = await step("ping", roundTrip(connection, pings, signal));
  await step("Kademlia", getsRecord(dht, connection.remotePeer, signal));
  await step("echo", echo(connection, ECHO_BYTES, signal));
  await step("ask", ask(connection, signal));
  return { dial: dialled.ms, subscribed: subscribed.ms, message: message.ms, ping, total: performance.now() - begun };
}

const subscribes = ({ subscriptions }) => subscriptions.some(({ topic, subscribe }) => topic === TOPIC && subscribe);

/** Says hello and waits for the answer to it. */
async function greet(pubsub, name, signal) {
  const isAnswer = ({ detail: { topic, data } }) => topic === TOPIC && new TextDecoder().decode(data) === `${name} to you`;
  const answered = told(pubsub, "message", isAnswer, signal);
  // A hub is known to listen before gossip has a stream to it, and nothing tells when it has.
  const said = async () => (await pubsub.publish(TOPIC, utf8(`hello ${name}`))).recipients.length > 0;
  while (!(await said())) {
    if (signal.aborted) throw new Error("hello reached nobody");
    await scheduler.postTask(() => {}, { priority: "background" });
  }
  await answered;
}

/** The median of some round trips on one stream; the library's own ping counts whole milliseconds. */
async function roundTrip(connection, count, signal) {
  const stream = await connection.newStream(PING_PROTOCOL, { signal });
  const bytes = byteStream(stream);
  const took = [];
  for (let n = 0; n < count; n++) {
    const sent = crypto.getRandomValues(new Uint8Array(PING_BYTES));
    const begun = performance.now();
    await bytes.write(sent, { signal });
    const back = (await bytes.read({ signal, bytes: PING_BYTES })).subarray();
    took.push(performance.now() - begun);
    if (back.some((byte, i) => byte !== sent[i])) throw new Error("other bytes came back");
  }
  await bytes.unwrap().close({ signal });
  took.sort((a, b) => a - b);
  const middle = count >> 1;
  return count % 2 ? took[middle] : (took[middle - 1] + took[middle]) / 2;
}

/** Asks the hub for its record: js-libp2p's own `get` refuses every key without a namespace, in an answer too. */
async function getsRecord(dht, hub, signal) {
  const request = { type: GET_VALUE, key: utf8(RECORD.key) };
  const path = { index: -1, queued: 0, running: 0, total: 0 };
  for await (const event of dht.network.sendRequest(hub, request, { signal, path })) {
    if (event.name === "QUERY_ERROR") throw event.error;
    if (event.name !== "PEER_RESPONSE") continue;
    const value = event.record && new TextDecoder().decode(event.record.value);
    if (value !== RECORD.value) throw new Error(`${RECORD.key} is ${JSON.stringify(value)}`);
    return;
  }
  throw new Error("no answer");
}
