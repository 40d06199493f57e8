package trial

import (
	"context"
	"errors"
	"fmt"
	"strings"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	topicName = "trial"
	greeting  = "hello "
	answer    = " to you"
)

type room struct {
	own     peer.ID
	topic   *pubsub.Topic
	who     *pubsub.TopicEventHandler
	lines   *pubsub.Subscription
	reached reached
}

// reached tells that gossip can send to a first peer: what is said before that goes nowhere, even to a peer that has
// told that it listens.
type reached chan struct{}

func (r reached) Trace(traced *pb.TraceEvent) {
	if traced.GetType() == pb.TraceEvent_ON_NEW_OUTBOUND_STREAM {
		select {
		case r <- struct{}{}:
		default: // only the first matters
		}
	}
}

func (h *trialHost) enter() (*room, error) {
	topic, err := h.gossip.Join(topicName)
	if err != nil {
		return nil, err
	}
	who, whoErr := topic.EventHandler()
	lines, linesErr := topic.Subscribe()
	return &room{h.ID(), topic, who, lines, h.reached}, errors.Join(whoErr, linesErr)
}

// hears waits until a peer is known to hear what is said here.
func (r *room) hears(ctx context.Context, id peer.ID) error {
	for {
		change, err := r.who.NextPeerEvent(ctx)
		if err != nil {
			return err
		}
		if change.Type == pubsub.PeerJoin && change.Peer == id {
			return nil
		}
	}
}

// next is the next line of somebody else.
func (r *room) next(ctx context.Context) (string, error) {
	for {
		message, err := r.lines.Next(ctx)
		if err != nil {
			return "", err
		}
		if message.GetFrom() != r.own {
			return string(message.Data), nil
		}
	}
}

// answer greets back whoever greets, until the context ends.
func (r *room) answer(ctx context.Context) {
	for {
		line, err := r.next(ctx)
		if err != nil {
			return
		}
		if name, greets := strings.CutPrefix(line, greeting); greets {
			r.topic.Publish(ctx, []byte(name+answer)) // who gets no answer says so
		}
	}
}

// greet says hello and waits for the answer to it.
func (r *room) greet(ctx context.Context) error {
	select {
	case <-r.reached:
	case <-ctx.Done():
		return fmt.Errorf("reaching the hub: %w", ctx.Err())
	}
	name := r.own.String()
	if err := r.topic.Publish(ctx, []byte(greeting+name)); err != nil {
		return fmt.Errorf("saying hello: %w", err)
	}
	for {
		line, err := r.next(ctx)
		if err != nil {
			return fmt.Errorf("waiting for the answer: %w", err)
		}
		if line == name+answer {
			return nil
		}
	}
}
