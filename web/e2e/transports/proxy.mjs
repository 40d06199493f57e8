// A slow and lossy path to a port of this machine, for what goes over TCP and over UDP.
//
// Each way adds half of RTT_MS and loses a share of LOSS. A lost datagram is gone. TCP hides a loss behind time: what
// was in a lost segment comes one round trip later, as after a fast retransmit, and what follows waits for it; segments
// lost within that round trip are mended in the same one. Neither a time-out of TCP nor its congestion window is
// imitated, only a receive window of WINDOW_BYTES. So TCP is shown no slower than it would be, and a figure over it says
// nothing beside one over UDP, where the ends' own congestion control meets every loss.

import { slowTcp } from "./slow/tcp.mjs";
import { slowUdp } from "./slow/udp.mjs";

/** What a round trip takes longer. */
export const RTT_MS = 50;
/** The share of datagrams, or of TCP's segments, that get lost each way. */
export const LOSS = 0.01;
const SEED = "slow path";

/**
 * Slow paths to these ports; answers the ports to use instead, how many connections and clients with a DTLS handshake
 * there were, and the `end` of all of it.
 */
export async function slowPath({ tcp, udp }, { rttMs = RTT_MS, loss = LOSS, seed = SEED } = {}) {
  const settings = { delayMs: rttMs / 2, rttMs, loss, seed };
  const ways = await Promise.all([tcp && slowTcp(tcp, settings), udp && slowUdp(udp, settings)]);
  const [overTcp, overUdp] = ways;
  return {
    tcp: overTcp?.port,
    udp: overUdp?.port,
    connections: overTcp?.connections,
    handshakes: overUdp?.handshakes,
    end: () => Promise.all(ways.map((way) => way?.end())),
  };
}
