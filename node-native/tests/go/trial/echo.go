package trial

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	echoProtocol = "/trial/echo/1"
	askProtocol  = "/trial/ask/1"
	// What an echo gives back at most.
	maxEchoBytes = 64 * 1024
	// What is sent when an echo is tried.
	echoBytes = 4096
	// What a hub that was asked answers at most.
	maxVerdictBytes = 1024
	// How long one small stream may take.
	streamTimeout = 10 * time.Second
)

var errAskedFor = errors.New("the hub says")

// answering makes a handler of what answers a stream. One that fails is reset, and its reason told to whoever runs
// this.
func answering(limit time.Duration, answer func(network.Stream) error) network.StreamHandler {
	return func(s network.Stream) {
		s.SetDeadline(time.Now().Add(limit))
		err := answer(s)
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			s.Reset()
			fmt.Fprintf(os.Stderr, "%s of %s: %v\n", s.Protocol(), s.Conn().RemotePeer(), err)
		}
	}
}

func answerEcho(s network.Stream) error {
	said, err := io.ReadAll(io.LimitReader(s, maxEchoBytes+1))
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	if len(said) > maxEchoBytes {
		return fmt.Errorf("more than %d bytes came", maxEchoBytes)
	}
	_, err = s.Write(said)
	return err
}

// echo sends some bytes and compares what comes back.
func (h *trialHost) echo(ctx context.Context, to peer.ID) error {
	said := make([]byte, echoBytes)
	rand.Read(said)
	heard, err := h.exchange(ctx, to, echoProtocol, said, maxEchoBytes)
	if err != nil {
		return err
	}
	if !bytes.Equal(said, heard) {
		return fmt.Errorf("%d bytes came back, or others than the %d sent", len(heard), len(said))
	}
	return nil
}

// ask has the hub try an echo of this host's.
func (h *trialHost) ask(ctx context.Context, hub peer.ID) error {
	verdict, err := h.exchange(ctx, hub, askProtocol, nil, maxVerdictBytes)
	if err != nil {
		return err
	}
	if string(verdict) != "ok" {
		return fmt.Errorf("%w %q", errAskedFor, verdict)
	}
	return nil
}

func (h *trialHost) answerAsk(s network.Stream) error {
	ctx, cancel := context.WithTimeout(context.Background(), streamTimeout)
	defer cancel()
	if asked, err := io.Copy(io.Discard, io.LimitReader(s, 1)); err != nil || asked > 0 {
		return fmt.Errorf("%d bytes were said: %w", asked, err)
	}
	verdict := "ok"
	if err := h.echo(ctx, s.Conn().RemotePeer()); err != nil {
		verdict = "no: " + err.Error()
	}
	_, err := io.WriteString(s, verdict)
	return err
}

// exchange says everything and ends, then hears everything until the other ends.
func (h *trialHost) exchange(ctx context.Context, to peer.ID, protocol string, said []byte, maxHeard int64) ([]byte, error) {
	s, err := h.open(ctx, to, protocol)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if _, err := s.Write(said); err != nil {
		s.Reset()
		return nil, fmt.Errorf("writing: %w", err)
	}
	if err := s.CloseWrite(); err != nil {
		s.Reset()
		return nil, fmt.Errorf("closing: %w", err)
	}
	heard, err := io.ReadAll(io.LimitReader(s, maxHeard))
	if err != nil {
		s.Reset()
		return nil, fmt.Errorf("reading: %w", err)
	}
	return heard, nil
}
