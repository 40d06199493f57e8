// A peer built on go-libp2p that a test drives: one command on stdin, one line of answer on stdout.
//
// It speaks what any program built on go-libp2p speaks, and knows no frames, syncs or hubs.
//
//	node.go      the host and its protocols, at go-libp2p's defaults where the network allows it
//	command.go   the words of stdin
//	peers.go     dial, ping, identify
//	rooms.go     gossip
//	records.go   records and providers in Kademlia
//	circuits.go  reservations at a relay
//	board.go     waiting for what events tell
//	trial/       a peer of trials of transports, with a command line of its own
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"

	"go-peer/trial"
)

// Bytes of one line of input: the largest record and its key, with room to spare.
const maxLineBytes = 64 * 1024

func main() {
	server := flag.Bool("server", false, "serve Kademlia, rather than only ask")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: [-server] MULTIADDR...\nlistens there; reads commands from stdin\nor:    "+trial.Usage)
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage() // go-libp2p's default would be every interface
		os.Exit(2)
	}
	if err := work(flag.Args(), *server); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func work(words []string, server bool) error {
	if words[0] == "trial" {
		return trial.Run(words[1:])
	}
	return run(words, server)
}

func run(listen []string, server bool) error {
	node, err := newNode(context.Background(), listen, server)
	if err != nil {
		return err
	}
	defer node.host.Close()
	fmt.Println("peer id:", node.host.ID())
	for _, address := range node.addresses() {
		fmt.Println("listening:", address)
	}
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLineBytes)
	for lines.Scan() {
		fmt.Println(node.answer(lines.Text()))
	}
	return lines.Err()
}
