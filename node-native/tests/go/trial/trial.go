// Package trial is a peer for tests and benches of transports: it listens as their hub, or dials one.
//
//	trial.go  the words of the command line
//	host.go   the host, its protocols and its bounds
//	hub.go    who listens
//	echo.go   small streams in both directions
//	bulk.go   much data in one direction
//	room.go   gossip
//	join.go   who dials: each protocol once
//	idle.go   who dials and only stays
package trial

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Usage is what the command line may say.
const Usage = `trial hub
  trial join ADDRESS [--count N] [--pings N] [--version 1|2]
  trial bulk ADDRESS up|down BYTES [--count N] [--version 1|2]
  trial idle ADDRESS COUNT [--version 1|2]`

// ErrUsage means that the command line says something else.
var ErrUsage = errors.New("usage: " + Usage)

// Run does what the words say and prints what comes of it, one object of JSON a line.
func Run(words []string) error {
	if len(words) == 0 {
		return ErrUsage
	}
	name, words := words[0], words[1:]
	if name == "hub" && len(words) == 0 {
		return hub()
	}
	positional := map[string]int{"join": 1, "bulk": 3, "idle": 2}[name]
	if positional == 0 || len(words) < positional {
		return ErrUsage
	}
	options := flag.NewFlagSet(name, flag.ContinueOnError)
	count := options.Int("count", 1, "how often")
	pings := options.Int("pings", 1, "in each join")
	version := options.Int("version", 1, "of WebRTC-direct's handshake")
	if err := options.Parse(words[positional:]); err != nil {
		return err
	}
	if options.NArg() > 0 || *count < 1 || *pings < 1 {
		return ErrUsage
	}
	to, err := peer.AddrInfoFromString(words[0])
	if err != nil {
		return err
	}
	dialer := dialer{to: *to, version: *version}
	switch name {
	case "join":
		return repeat(*count, func() (any, error) { return dialer.join(*pings) })
	case "bulk":
		bytes, err := strconv.ParseUint(words[2], 10, 63)
		if err != nil {
			return err
		}
		if words[1] != "up" && words[1] != "down" {
			return ErrUsage
		}
		return repeat(*count, func() (any, error) { return dialer.bulk(words[1] == "up", bytes) })
	default:
		connections, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		return dialer.idle(connections)
	}
}

// repeat prints how each run ended; one that failed stops none.
func repeat(count int, run func() (any, error)) error {
	failed := 0
	for range count {
		outcome, err := run()
		if err != nil {
			failed++
			outcome = struct {
				Error string `json:"error"`
			}{err.Error()}
		}
		if err := say(outcome); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d runs failed", failed, count)
	}
	return nil
}

func say(outcome any) error {
	return json.NewEncoder(os.Stdout).Encode(outcome)
}

// untilDismissed returns when nobody holds the other end of standard input any more.
func untilDismissed() {
	io.Copy(io.Discard, os.Stdin)
}
