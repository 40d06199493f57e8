package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
)

// Round trips of one ping command, on one stream.
const pings = 3

// dial connects to a multiaddr that ends in a peer id.
func (n *node) dial(ctx context.Context, words []string) (string, error) {
	info, err := peer.AddrInfoFromString(words[0])
	if err != nil {
		return "", err
	}
	if err := n.host.Connect(ctx, *info); err != nil {
		return "", err
	}
	return fmt.Sprintf("dialled %s", info.ID), nil
}

func (n *node) ping(ctx context.Context, words []string) (string, error) {
	id, err := peer.Decode(words[0])
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	replies := ping.Ping(ctx, n.host, id)
	for range pings {
		reply, open := <-replies
		if !open {
			return "", errors.Join(errors.New("no more replies"), ctx.Err())
		}
		if reply.Error != nil {
			return "", reply.Error
		}
	}
	return fmt.Sprintf("%d pongs from %s", pings, id), nil
}

// identification is how asking a peer what it is has ended.
type identification struct {
	said   event.EvtPeerIdentificationCompleted
	failed error
}

func (n *node) watchIdentify() error {
	kinds := []any{new(event.EvtPeerIdentificationCompleted), new(event.EvtPeerIdentificationFailed)}
	heard, err := n.host.EventBus().Subscribe(kinds)
	if err != nil {
		return err
	}
	go func() {
		for ended := range heard.Out() {
			switch ended := ended.(type) {
			case event.EvtPeerIdentificationCompleted:
				n.identified.say(ended.Peer, identification{said: ended})
			case event.EvtPeerIdentificationFailed:
				n.identified.say(ended.Peer, identification{failed: ended.Reason})
			}
		}
	}()
	return nil
}

// identify waits until a peer has said what it is, or go-libp2p has given up on that.
func (n *node) identify(ctx context.Context, words []string) (string, error) {
	id, err := peer.Decode(words[0])
	if err != nil {
		return "", err
	}
	ended, err := n.identified.wait(ctx, id)
	if err = errors.Join(err, ended.failed); err != nil {
		return "", err
	}
	said := ended.said
	slices.Sort(said.Protocols)
	protocols := strings.Join(protocol.ConvertToStrings(said.Protocols), ",")
	return fmt.Sprintf("agent=%q protocol=%q speaks=%s", said.AgentVersion, said.ProtocolVersion, protocols), nil
}

// connections tells by which addresses a peer is connected.
func (n *node) connections(_ context.Context, words []string) (string, error) {
	id, err := peer.Decode(words[0])
	if err != nil {
		return "", err
	}
	var remote []string
	for _, connection := range n.host.Network().ConnsToPeer(id) {
		remote = append(remote, connection.RemoteMultiaddr().String())
	}
	return fmt.Sprintf("%d connections: %s", len(remote), strings.Join(remote, " ")), nil
}
