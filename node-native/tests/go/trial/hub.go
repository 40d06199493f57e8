package trial

import (
	"context"
	"errors"
	"fmt"
	"strings"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	kbucket "github.com/libp2p/go-libp2p-kbucket"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

// hub listens until standard input ends.
func hub() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h, err := newHost(ctx, 1, dht.ModeServer, "/ip4/127.0.0.1/tcp/0/ws", "/ip4/127.0.0.1/udp/0/webrtc-direct")
	if err != nil {
		return err
	}
	defer h.Close()
	h.SetStreamHandler(askProtocol, answering(streamTimeout, h.answerAsk))
	h.SetStreamHandler(bulkProtocol, answering(bulkTimeout, answerBulk))
	// It is kept here before others are looked for, of whom there are none.
	if err := h.kademlia.PutValue(ctx, recordKey, []byte(recordValue)); err != nil && !errors.Is(err, kbucket.ErrLookupFailure) {
		return fmt.Errorf("no record: %w", err)
	}
	room, err := h.enter()
	if err != nil {
		return fmt.Errorf("no room: %w", err)
	}
	go room.answer(ctx)
	where, err := peer.AddrInfoToP2pAddrs(host.InfoFromHost(h))
	if err != nil {
		return err
	}
	told := map[string]string{"peer": h.ID().String()}
	for _, address := range where {
		for name, part := range map[string]string{"ws": "/ws/", "webrtc": "/webrtc-direct/"} {
			if strings.Contains(address.String(), part) {
				told[name] = address.String()
			}
		}
	}
	if len(told) < 3 {
		return fmt.Errorf("it listens only at %v", where)
	}
	if err := say(told); err != nil {
		return err
	}
	untilDismissed()
	return nil
}
