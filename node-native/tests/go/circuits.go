package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
)

// reserve asks a connected relay for a place.
func (n *node) reserve(ctx context.Context, words []string) (string, error) {
	id, err := peer.Decode(words[0])
	if err != nil {
		return "", err
	}
	reservation, err := client.Reserve(ctx, n.host, peer.AddrInfo{ID: id})
	if err != nil {
		return "", err
	}
	var vouched []string
	for _, address := range reservation.Addrs {
		vouched = append(vouched, address.String())
	}
	return fmt.Sprintf("reserved for %d s, circuits of %d s and %d bytes, at %s",
		int(time.Until(reservation.Expiration).Seconds()), int(reservation.LimitDuration.Seconds()),
		reservation.LimitData, strings.Join(vouched, " ")), nil
}
