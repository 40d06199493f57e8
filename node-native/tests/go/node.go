package main

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// What identify tells of this program.
const agent = "go-peer/1"

type node struct {
	host       host.Host
	gossip     *pubsub.PubSub
	kademlia   *dht.IpfsDHT
	rooms      map[string]*room
	identified *board[peer.ID, identification]
	grafted    *board[inRoom, struct{}]
	routed     *board[peer.ID, struct{}]
}

func newNode(ctx context.Context, listen []string, server bool) (*node, error) {
	n := &node{
		rooms:      make(map[string]*room),
		identified: newBoard[peer.ID, identification](),
		grafted:    newBoard[inRoom, struct{}](),
		routed:     newBoard[peer.ID, struct{}](),
	}
	var err error
	if n.host, err = libp2p.New(libp2p.ListenAddrStrings(listen...), libp2p.UserAgent(agent)); err != nil {
		return nil, fmt.Errorf("no host: %w", err)
	}
	if err := n.watchIdentify(); err != nil {
		return nil, fmt.Errorf("no identify: %w", err)
	}
	if n.gossip, err = pubsub.NewGossipSub(ctx, n.host, pubsub.WithEventTracer(grafts{n.grafted})); err != nil {
		return nil, fmt.Errorf("no gossip: %w", err)
	}
	if n.kademlia, err = newKademlia(n.host, server); err != nil {
		return nil, fmt.Errorf("no Kademlia: %w", err)
	}
	n.watchRoutes()
	return n, nil
}

// addresses are where this node listens, each with its id.
func (n *node) addresses() []multiaddr.Multiaddr {
	whole, err := peer.AddrInfoToP2pAddrs(host.InfoFromHost(n.host))
	if err != nil {
		panic(err) // a host's own id and addresses are valid
	}
	return whole
}
