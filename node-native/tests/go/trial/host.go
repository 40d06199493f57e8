package trial

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2pwebrtc "github.com/libp2p/go-libp2p/p2p/transport/webrtc"
	"github.com/libp2p/go-libp2p/p2p/transport/websocket"
)

const (
	// What identify tells of every peer of a trial.
	protocolVersion = "/trial/1"
	// The network's Kademlia is /trial/kad/1.0.0, and the hub holds one record in it.
	kademliaPrefix = "/trial"
	recordKey      = "trial"
	recordValue    = "hello"
)

// A trial host speaks all protocols of a trial.
type trialHost struct {
	host.Host
	gossip   *pubsub.PubSub
	kademlia *dht.IpfsDHT
	reached  reached
	routed   chan peer.ID
	seen     event.Subscription // who was identified; a dialer's alone
}

// newHost makes a host; version is the one of WebRTC-direct's handshake that it dials with.
func newHost(ctx context.Context, version int, mode dht.ModeOpt, listen ...string) (*trialHost, error) {
	options := []libp2p.Option{
		libp2p.Transport(websocket.New),
		libp2p.Transport(libp2pwebrtc.New, libp2pwebrtc.WithDialerVersion(version)),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ProtocolVersion(protocolVersion),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		// A crowd on one machine is no attack, and the bench decides who stays.
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.ConnectionManager(connmgr.NullConnMgr{}),
		// There is one address at a time; nothing to hold back for.
		libp2p.SwarmOpts(swarm.WithDialRanker(swarm.NoDelayDialRanker)),
	}
	if len(listen) == 0 {
		options = append(options, libp2p.NoListenAddrs)
	} else {
		options = append(options, libp2p.ListenAddrStrings(listen...))
	}
	plain, err := libp2p.New(options...)
	if err != nil {
		return nil, fmt.Errorf("no host: %w", err)
	}
	h := &trialHost{Host: plain, reached: make(reached, 1), routed: make(chan peer.ID, 1)}
	if err := h.equip(ctx, mode); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

func (h *trialHost) equip(ctx context.Context, mode dht.ModeOpt) (err error) {
	// A hub takes nothing out of it, and what lies there stops identify for all.
	if mode == dht.ModeClient {
		if h.seen, err = h.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted)); err != nil {
			return fmt.Errorf("no identify: %w", err)
		}
	}
	// What is said reaches all who listen, in the mesh or not yet.
	if h.gossip, err = pubsub.NewGossipSub(ctx, h, pubsub.WithFloodPublish(true), pubsub.WithEventTracer(h.reached)); err != nil {
		return fmt.Errorf("no gossip: %w", err)
	}
	h.kademlia, err = dht.New(h, dht.ProtocolPrefix(kademliaPrefix), dht.Mode(mode), dht.Validator(anyRecord{}), dht.DisableAutoRefresh())
	if err != nil {
		return fmt.Errorf("no Kademlia: %w", err)
	}
	table := h.kademlia.RoutingTable()
	before := table.PeerAdded
	table.PeerAdded = func(id peer.ID) {
		before(id)
		select {
		case h.routed <- id:
		default: // only the first matters
		}
	}
	h.SetStreamHandler(echoProtocol, answering(streamTimeout, answerEcho))
	return nil
}

// identified waits until a peer has told what it is; it must take part in the trial.
func (h *trialHost) identified(ctx context.Context, id peer.ID) error {
	for {
		select {
		case said := <-h.seen.Out():
			told := said.(event.EvtPeerIdentificationCompleted)
			if told.Peer != id {
				continue
			}
			if told.ProtocolVersion != protocolVersion {
				return fmt.Errorf("it speaks %q, not %q", told.ProtocolVersion, protocolVersion)
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// anyRecord takes every record: the trial's key has no namespace that go-libp2p's own validator asks for.
type anyRecord struct{}

func (anyRecord) Validate(string, []byte) error { return nil }

func (anyRecord) Select(string, [][]byte) (int, error) { return 0, nil }

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}
