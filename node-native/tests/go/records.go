package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// The network's Kademlia is /tincan/kad/1.0.0.
const kademliaPrefix protocol.ID = "/tincan"

func newKademlia(h host.Host, server bool) (*dht.IpfsDHT, error) {
	mode := dht.ModeClient
	if server {
		mode = dht.ModeServer
	}
	return dht.New(h, dht.ProtocolPrefix(kademliaPrefix), dht.Mode(mode), dht.Validator(anyRecord{}))
}

// anyRecord takes every record. go-libp2p's own validator takes only keys of a namespace, as in /ipns/…; the
// network's keys have none, and its records no signature.
type anyRecord struct{}

func (anyRecord) Validate(string, []byte) error { return nil }

// Select prefers the first: the one that comes over the one that is there.
func (anyRecord) Select(string, [][]byte) (int, error) { return 0, nil }

func (n *node) watchRoutes() {
	table := n.kademlia.RoutingTable()
	before := table.PeerAdded
	table.PeerAdded = func(id peer.ID) {
		before(id)
		n.routed.say(id, struct{}{})
	}
}

// routes waits until a peer is in the routing table: before that no record finds its way.
func (n *node) routes(ctx context.Context, words []string) (string, error) {
	id, err := peer.Decode(words[0])
	if err != nil {
		return "", err
	}
	if _, err := n.routed.wait(ctx, id); err != nil {
		return "", err
	}
	return "routes by " + words[0], nil
}

func (n *node) put(ctx context.Context, words []string) (string, error) {
	if err := n.kademlia.PutValue(ctx, words[0], []byte(words[1])); err != nil {
		return "", err
	}
	return "put " + words[0], nil
}

func (n *node) get(ctx context.Context, words []string) (string, error) {
	value, err := n.kademlia.GetValue(ctx, words[0])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s = %s", words[0], value), nil
}

// contentID is a CID over a key given in hex. What travels of a CID is its multihash alone, and go-libp2p does
// not look into that: any bytes are a key, whether they are a multihash or not.
func contentID(key string) (cid.Cid, error) {
	raw, err := hex.DecodeString(key)
	if err != nil || len(raw) == 0 {
		return cid.Undef, errors.New("the key is not in hex")
	}
	return cid.NewCidV1(cid.Raw, raw), nil
}

func (n *node) provide(ctx context.Context, words []string) (string, error) {
	id, err := contentID(words[0])
	if err != nil {
		return "", err
	}
	if err := n.kademlia.Provide(ctx, id, true); err != nil {
		return "", err
	}
	return "providing " + words[0], nil
}

// providers are all that this node and its network know of.
func (n *node) providers(ctx context.Context, words []string) (string, error) {
	id, err := contentID(words[0])
	if err != nil {
		return "", err
	}
	var found []string
	for provider := range n.kademlia.FindProvidersAsync(ctx, id, 0) {
		found = append(found, provider.ID.String())
	}
	return fmt.Sprintf("%d providers: %s", len(found), strings.Join(found, " ")), ctx.Err()
}
