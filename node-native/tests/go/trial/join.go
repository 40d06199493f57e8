package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
)

// How long a join may take, as a trial says.
const joinTimeout = 10 * time.Second

// A dialer knows a hub, and by which version of WebRTC-direct's handshake it is dialled.
type dialer struct {
	to      peer.AddrInfo
	version int
}

// joined is when what had happened, in milliseconds since the dial began, and how long pings took.
type joined struct {
	Dial       float64 `json:"dial"`
	Subscribed float64 `json:"subscribed"`
	Message    float64 `json:"message"`
	Ping       float64 `json:"ping"`
	Total      float64 `json:"total"`
}

// join does each thing once, as a host that was not there before.
func (d dialer) join(pings int) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	h, err := newHost(ctx, d.version, dht.ModeClient)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	room, err := h.enter()
	if err != nil {
		return nil, err
	}
	var at joined
	begun := time.Now()
	steps := []struct {
		name string
		do   func() error
		at   *float64
	}{
		{"dial", func() error { return h.dial(ctx, d.to) }, &at.Dial},
		{"subscribed", func() error { return room.hears(ctx, d.to.ID) }, &at.Subscribed},
		{"message", func() error { return room.greet(ctx) }, &at.Message},
		{"identify", func() error { return h.identified(ctx, d.to.ID) }, nil},
		{"ping", func() error { return h.pings(ctx, d.to.ID, pings, &at.Ping) }, nil},
		{"Kademlia", func() error { return h.getsRecord(ctx) }, nil},
		{"echo", func() error { return h.echo(ctx, d.to.ID) }, nil},
		{"ask", func() error { return h.ask(ctx, d.to.ID) }, &at.Total},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
		if step.at != nil {
			*step.at = milliseconds(begun)
		}
	}
	return at, nil
}

// pings tells the median of so many round trips.
func (h *trialHost) pings(ctx context.Context, to peer.ID, count int, median *float64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	replies := ping.Ping(ctx, h, to)
	took := make([]float64, count)
	for n := range took {
		reply, open := <-replies
		if !open {
			return errors.Join(errors.New("no reply"), ctx.Err())
		}
		if reply.Error != nil {
			return reply.Error
		}
		took[n] = float64(reply.RTT.Microseconds()) / 1000
	}
	slices.Sort(took)
	*median = (took[(count-1)/2] + took[count/2]) / 2
	return nil
}

// getsRecord asks the network for its one record.
func (h *trialHost) getsRecord(ctx context.Context) error {
	select {
	case <-h.routed:
	case <-ctx.Done():
		return fmt.Errorf("nobody in the routing table: %w", ctx.Err())
	}
	found, err := h.kademlia.GetValue(ctx, recordKey, dht.Quorum(1))
	if err == nil && string(found) != recordValue {
		err = fmt.Errorf("%s is %q, not %q", recordKey, found, recordValue)
	}
	return err
}

// dial returns when the connection stands; go-libp2p's own Connect would wait for identify.
func (h *trialHost) dial(ctx context.Context, to peer.AddrInfo) error {
	h.Peerstore().AddAddrs(to.ID, to.Addrs, peerstore.PermanentAddrTTL)
	_, err := h.Network().DialPeer(ctx, to.ID)
	return err
}

// open opens a stream that fails with the context's end.
func (h *trialHost) open(ctx context.Context, to peer.ID, name string) (network.Stream, error) {
	s, err := h.NewStream(ctx, to, protocol.ID(name))
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	if end, bounded := ctx.Deadline(); bounded {
		s.SetDeadline(end)
	}
	return s, nil
}
