// A js-libp2p node that speaks what a Tincan hub speaks; the same in a browser and in a process.

import { circuitRelayTransport } from "@libp2p/circuit-relay-v2";
import { gossipsub } from "@libp2p/gossipsub";
import { identify, identifyPush } from "@libp2p/identify";
import { kadDHT, passthroughMapper } from "@libp2p/kad-dht";
import { noise } from "@libp2p/noise";
import { ping } from "@libp2p/ping";
import { pubsubPeerDiscovery } from "@libp2p/pubsub-peer-discovery";
import { webRTCDirect } from "@libp2p/webrtc";
import { webSockets } from "@libp2p/websockets";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";

/** Records under `/tincan/`: js-libp2p stores and finds none without a namespace that it has rules for. */
const NAMESPACE = "tincan";

/** Time between two words of a node about itself. */
const DISCOVERY_EVERY_MS = 10_000;

/**
 * Starts a node. What `listen` names (a hub's `…/p2p-circuit`) is reserved when it answers. A quiet one pings nobody of
 * its own accord. With topics for its `discovery` it tells there who it is, every 10 s as universal-connectivity does.
 */
export function startNode({ listen = [], quiet = false, discovery } = {}) {
  return createLibp2p({
    addresses: { listen },
    transports: [webSockets(), webRTCDirect(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // In a browser it would refuse ws:// and every private address, loopback too.
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: !quiet },
    ...(discovery && { peerDiscovery: [pubsubPeerDiscovery({ interval: DISCOVERY_EVERY_MS, topics: discovery })] }),
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      // Over WebRTC a stream counts until its end is acknowledged, which the hub does not do; one may not stop the next.
      ping: ping({ maxOutboundStreams: 8 }),
      pubsub: gossipsub({
        // Many peers on one address are a class behind one router, not an attack.
        scoreParams: { IPColocationFactorWeight: 0 },
        floodPublish: true,
      }),
      ...(!quiet && { dht: kademlia() }),
    },
  });
}

const kademlia = () =>
  kadDHT({
    protocol: "/tincan/kad/1.0.0",
    clientMode: true,
    peerInfoMapper: passthroughMapper,
    validators: { [NAMESPACE]: () => {} },
    selectors: { [NAMESPACE]: () => 0 },
  });
