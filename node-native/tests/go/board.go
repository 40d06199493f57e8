package main

import (
	"context"
	"sync"
)

// board keeps the last thing said about each key, for those who wait for one.
type board[K comparable, V any] struct {
	mutex   sync.Mutex
	said    map[K]V
	changed chan struct{}
}

func newBoard[K comparable, V any]() *board[K, V] {
	return &board[K, V]{said: make(map[K]V), changed: make(chan struct{})}
}

func (b *board[K, V]) say(key K, value V) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.said[key] = value
	close(b.changed)
	b.changed = make(chan struct{})
}

// wait returns what was said about a key, as soon as something was.
func (b *board[K, V]) wait(ctx context.Context, key K) (V, error) {
	for {
		b.mutex.Lock()
		value, known := b.said[key]
		changed := b.changed
		b.mutex.Unlock()
		if known {
			return value, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return value, ctx.Err()
		}
	}
}
