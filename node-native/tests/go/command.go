package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// How long one command may take; the test that waits for its answer has more patience.
const commandTimeout = 30 * time.Second

type command struct {
	words int // that follow its name; the last one takes the rest of the line
	run   func(*node, context.Context, []string) (string, error)
}

var commands = map[string]command{
	"dial":        {1, (*node).dial},
	"ping":        {1, (*node).ping},
	"identify":    {1, (*node).identify},
	"connections": {1, (*node).connections},
	"join":        {1, (*node).join},
	"mesh":        {2, (*node).mesh},
	"say":         {2, (*node).say},
	"hear":        {1, (*node).hear},
	"routes":      {1, (*node).routes},
	"put":         {2, (*node).put},
	"get":         {1, (*node).get},
	"provide":     {1, (*node).provide},
	"providers":   {1, (*node).providers},
	"reserve":     {1, (*node).reserve},
}

// answer does what a line says; always one line.
func (n *node) answer(line string) string {
	name, rest, _ := strings.Cut(line, " ")
	known, ok := commands[name]
	if !ok {
		return fmt.Sprintf("error: unknown command %q", name)
	}
	words := strings.SplitN(rest, " ", known.words)
	if len(words) < known.words || words[0] == "" {
		return fmt.Sprintf("error: %s takes %d words", name, known.words)
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	text, err := known.run(n, ctx, words)
	if err != nil {
		text = fmt.Sprintf("error: %s: %v", name, err)
	}
	return strings.ReplaceAll(text, "\n", " ")
}
