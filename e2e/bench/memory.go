package main

import (
	"context"
	"errors"
	"fmt"
)

const burst = 60_000

// benchMemory measures what a burst costs in memory, and how soon a server is ready on a database that is migrated.
func benchMemory(ctx context.Context, p *place, t *table) (err error) {
	if err := p.emptyInbox(ctx); err != nil {
		return err
	}
	s, err := p.start(ctx, roleGroup)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	t.line("ready on a migrated database", milliseconds(s.ready))

	l, err := post(ctx, s.url, p.businesses[0], 256, func(sent int64) bool { return sent <= burst })
	if err != nil {
		return err
	}
	peak, err := s.peak()
	if err != nil {
		return err
	}
	t.line(fmt.Sprintf("a burst of %d over 256 connections", burst), fmt.Sprintf("%.0f MB resident at most, %d taken, %d refused", peak, len(l.took), l.refused))

	return nil
}
