package trial

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/network"
)

const (
	bulkProtocol = "/trial/bulk/1"
	// Bytes that are sent over and over.
	blockBytes = 1 << 20
	// What a hub sends at most.
	maxBulkBytes = 16 << 30
	// How long much data may take.
	bulkTimeout = 10 * time.Minute
	up          = 'u'
	down        = 'd'
)

var errHash = errors.New("the SHA-256 is another")

// block is random and always the same.
var block = sync.OnceValue(func() []byte {
	made := make([]byte, blockBytes)
	rand.NewChaCha8([32]byte{}).Read(made)
	return made
})

// blocks gives so many bytes of the block, over and over, to a writer.
func blocks(to io.Writer, left uint64) error {
	for left > 0 {
		part := block()[:min(left, blockBytes)]
		if _, err := to.Write(part); err != nil {
			return err
		}
		left -= uint64(len(part))
	}
	return nil
}

// hashes are of so many bytes of the block each; made once.
var hashes struct {
	sync.Mutex
	known map[uint64][]byte
}

func hashOf(length uint64) []byte {
	hashes.Lock()
	defer hashes.Unlock()
	if known, ok := hashes.known[length]; ok {
		return known
	}
	hash := sha256.New()
	blocks(hash, length) // a hash never fails
	if hashes.known == nil {
		hashes.known = make(map[uint64][]byte)
	}
	hashes.known[length] = hash.Sum(nil)
	return hashes.known[length]
}

func answerBulk(s network.Stream) error {
	var asked [9]byte
	if _, err := io.ReadFull(s, asked[:]); err != nil {
		return err
	}
	length := binary.BigEndian.Uint64(asked[1:])
	if length > maxBulkBytes {
		return fmt.Errorf("%d bytes are too many", length)
	}
	switch asked[0] {
	case up:
		hash := sha256.New()
		if taken, err := io.Copy(hash, s); err != nil || uint64(taken) != length {
			return fmt.Errorf("%d bytes of %d: %w", taken, length, err)
		}
		_, err := s.Write(hash.Sum(nil))
		return err
	case down:
		if _, err := s.Write(hashOf(length)); err != nil {
			return err
		}
		return blocks(s, length)
	default:
		return fmt.Errorf("%q is no direction", asked[0])
	}
}

type moved struct {
	Dial  float64 `json:"dial"`
	Ms    float64 `json:"ms"`
	Right bool    `json:"ok"`
}

// bulk moves so many bytes on a connection of its own.
func (d dialer) bulk(upwards bool, length uint64) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), bulkTimeout)
	defer cancel()
	h, err := newHost(ctx, d.version, dht.ModeClient)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	hashOf(length)
	begun := time.Now()
	if err := h.dial(ctx, d.to); err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	dial := milliseconds(begun)
	if err := h.identified(ctx, d.to.ID); err != nil {
		return nil, fmt.Errorf("identify: %w", err)
	}
	move := h.download
	if upwards {
		move = h.upload
	}
	ms, err := move(ctx, d, length)
	return moved{dial, ms, err == nil}, err
}

func (h *trialHost) upload(ctx context.Context, d dialer, length uint64) (float64, error) {
	begun := time.Now()
	s, err := h.open(ctx, d.to.ID, bulkProtocol)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if err := errors.Join(askFor(s, up, length), blocks(s, length), s.CloseWrite()); err != nil {
		return 0, err
	}
	told, err := io.ReadAll(io.LimitReader(s, sha256.Size+1))
	ms := milliseconds(begun)
	if err == nil && !bytes.Equal(told, hashOf(length)) {
		err = errHash
	}
	return ms, err
}

func (h *trialHost) download(ctx context.Context, d dialer, length uint64) (float64, error) {
	// Memory that was never touched would cost while the clock runs.
	taken := bytes.Repeat([]byte{1}, int(length))
	var told [sha256.Size]byte
	begun := time.Now()
	s, err := h.open(ctx, d.to.ID, bulkProtocol)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if err := errors.Join(askFor(s, down, length), s.CloseWrite()); err != nil {
		return 0, err
	}
	if _, err := io.ReadFull(s, told[:]); err != nil {
		return 0, err
	}
	if _, err := io.ReadFull(s, taken); err != nil {
		return 0, err
	}
	ms := milliseconds(begun)
	if sha256.Sum256(taken) != told {
		return ms, errHash
	}
	return ms, nil
}

func askFor(s network.Stream, direction byte, length uint64) error {
	_, err := s.Write(binary.BigEndian.AppendUint64([]byte{direction}, length))
	return err
}
