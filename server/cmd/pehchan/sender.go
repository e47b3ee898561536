package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

const (
	firstPause   = 250 * time.Millisecond
	longestPause = 8 * time.Second
	mostTries    = 10
)

// sender posts signed webhooks as Meta does: again, after growing pauses, while they are not taken for now.
type sender struct {
	client *http.Client
	url    string
	secret []byte
}

func (s sender) deliver(ctx context.Context, body []byte) error {
	pause := firstPause
	for try := 1; ; try++ {
		status, err := sandbox.Send(ctx, s.client, s.url, s.secret, body)
		switch {
		case err == nil && status == http.StatusOK:
			return nil
		case err == nil && status < 500 && status != http.StatusTooManyRequests:
			return fmt.Errorf("the webhook was refused with status %d", status)
		case try == mostTries && err != nil:
			return err
		case try == mostTries:
			return fmt.Errorf("the webhook was not taken in %d tries, last status %d", try, status)
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, longestPause)
	}
}

// wait lets d pass, or returns the error of ctx.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()

	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
