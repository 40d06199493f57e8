// The least page that joins a hub and shows a room, by js-libp2p: what ours is measured against.

import { multiaddr } from "@multiformats/multiaddr";
import { startNode } from "./node.mjs";
import { verifyFrame } from "./verify-frame.mjs";

/** Lines that are shown. */
const MOST_SHOWN = 200;

const room = new URLSearchParams(location.hash.slice(1)).get("room");
const lines = document.querySelector("#lines");
const [node, hub] = await Promise.all([startNode(), fetch("api/v1/node").then((answer) => answer.json())]);
const address = hub.addresses.find((one) => one.includes("/ws"));

node.addEventListener("peer:identify", ({ detail }) => {
  if (detail.peerId.toString() === hub.peer_id) document.querySelector('[data-testid="status"]').textContent = "online";
});
node.services.pubsub.addEventListener("message", async ({ detail: { data, topic } }) => {
  const { kind, said } = await verifyFrame(data, topic);
  if (kind === 1n) show(said);
});
node.services.pubsub.subscribe(room);
await node.dial(multiaddr(address));

function show(text) {
  const line = document.createElement("li");
  line.dataset.testid = "message-text";
  line.textContent = text;
  lines.append(line);
  if (lines.childElementCount > MOST_SHOWN) lines.firstElementChild.remove();
}
