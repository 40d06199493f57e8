package trial

import (
	"context"
	"fmt"

	dht "github.com/libp2p/go-libp2p-kad-dht"
)

// Connections that one process holds at most.
const maxIdle = 1000

// idle holds connections, each of a host of its own, until standard input ends.
func (d dialer) idle(count int) error {
	if count < 1 || count > maxIdle {
		return fmt.Errorf("%d connections are not from 1 to %d", count, maxIdle)
	}
	// Hosts live as long as this context.
	life, end := context.WithCancel(context.Background())
	defer end()
	for n := range count {
		h, err := newHost(life, d.version, dht.ModeClient)
		if err != nil {
			return err
		}
		defer h.Close()
		if err := d.settle(life, h); err != nil {
			return fmt.Errorf("connection %d: %w", n+1, err)
		}
	}
	if err := say(map[string]int{"connections": count}); err != nil {
		return err
	}
	untilDismissed()
	return nil
}

// settle connects a host and waits until that is followed by nothing.
func (d dialer) settle(ctx context.Context, h *trialHost) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	room, err := h.enter()
	if err != nil {
		return err
	}
	if err := h.dial(ctx, d.to); err != nil {
		return err
	}
	if err := h.identified(ctx, d.to.ID); err != nil {
		return err
	}
	return room.hears(ctx, d.to.ID)
}
