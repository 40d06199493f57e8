// A js-libp2p node of a trial, with bounds that no trial reaches and all else at the library's defaults.

import { gossipsub } from "@libp2p/gossipsub";
import { identify } from "@libp2p/identify";
import { kadDHT, passthroughMapper } from "@libp2p/kad-dht";
import { noise } from "@libp2p/noise";
import { ping } from "@libp2p/ping";
import { webRTCDirect } from "@libp2p/webrtc";
import { webSockets } from "@libp2p/websockets";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import { answerEcho, ECHO } from "./echo.mjs";

/** Streams at a time, of each kind. */
export const MOST_STREAMS = 1024;
/** What may wait for its reader over WebRTC: the library cannot stop the sender, and by default ends the stream at 4 MiB. */
const MOST_UNREAD_BYTES = 512 * 2 ** 20;

/** Starts a node that listens nowhere. */
export async function startNode() {
  const node = await createLibp2p({
    addresses: { listen: [] },
    transports: [webSockets(), webRTCDirect({ dataChannel: { maxReadBufferLength: MOST_UNREAD_BYTES } })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxInboundStreams: MOST_STREAMS, maxOutboundStreams: MOST_STREAMS })],
    // In a browser it would refuse ws:// and every private address, loopback too.
    connectionGater: { denyDialMultiaddr: () => false },
    // It pings of its own accord, and may meet the trial's pings.
    connectionMonitor: { enabled: false },
    services: {
      identify: identify(),
      ping: ping(),
      pubsub: gossipsub({
        // Many peers on one address are the trial's, not an attack.
        scoreParams: { IPColocationFactorWeight: 0 },
        floodPublish: true,
      }),
      dht: kadDHT({ protocol: "/trial/kad/1.0.0", clientMode: true, peerInfoMapper: passthroughMapper }),
    },
  });
  await node.handle(ECHO, answerEcho, { maxInboundStreams: MOST_STREAMS, maxOutboundStreams: MOST_STREAMS });
  return node;
}
