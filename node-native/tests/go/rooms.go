package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

var errNotJoined = errors.New("join the room first")

type room struct {
	topic *pubsub.Topic
	heard *pubsub.Subscription
}

// inRoom is a peer in the mesh of a room.
type inRoom struct {
	room string
	peer peer.ID
}

// grafts tells whom the mesh took in: until then a line reaches nobody at once.
type grafts struct{ to *board[inRoom, struct{}] }

func (g grafts) Trace(traced *pb.TraceEvent) {
	if graft := traced.GetGraft(); graft != nil {
		g.to.say(inRoom{graft.GetTopic(), peer.ID(graft.GetPeerID())}, struct{}{})
	}
}

func (n *node) join(_ context.Context, words []string) (string, error) {
	topic, err := n.gossip.Join(words[0])
	if err != nil {
		return "", err
	}
	heard, err := topic.Subscribe()
	if err != nil {
		return "", err
	}
	n.rooms[words[0]] = &room{topic, heard}
	return "joined " + words[0], nil
}

// mesh waits until a peer is in the mesh of a room.
func (n *node) mesh(ctx context.Context, words []string) (string, error) {
	id, err := peer.Decode(words[1])
	if err != nil {
		return "", err
	}
	if _, err := n.grafted.wait(ctx, inRoom{words[0], id}); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s is in the mesh of %s", id, words[0]), nil
}

func (n *node) say(ctx context.Context, words []string) (string, error) {
	room, joined := n.rooms[words[0]]
	if !joined {
		return "", errNotJoined
	}
	if err := room.topic.Publish(ctx, []byte(words[1])); err != nil {
		return "", err
	}
	return "said in " + words[0], nil
}

// hear waits for the next payload of somebody else.
func (n *node) hear(ctx context.Context, words []string) (string, error) {
	room, joined := n.rooms[words[0]]
	if !joined {
		return "", errNotJoined
	}
	for {
		message, err := room.heard.Next(ctx)
		if err != nil {
			return "", err
		}
		if from := message.GetFrom(); from != n.host.ID() {
			return fmt.Sprintf("heard from %s: %s", from, hex.EncodeToString(message.Data)), nil
		}
	}
}
