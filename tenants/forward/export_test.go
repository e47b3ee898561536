package forward

import (
	"context"
	"time"
)

// AtStep has a test told of each step of a turn.
func (s *Sender) AtStep(step func(name string)) { s.step = step }

// UnreachableTakes sets how long a call takes that reaches nobody.
func (s *Sender) UnreachableTakes(d time.Duration) { s.caller.takes = d }

// Guard tells whether a connection to an address would be made.
func (d Doors) Guard(network, address string) error { return d.guard(network, address) }

// Ask asks an address as a target would be, and gives the reason, the status and what is shown of the answer.
func Ask(ctx context.Context, d Doors, address string, timeout, unreachable time.Duration) (reason string, status int, answer string) {
	c := newCaller(d)
	c.client.Timeout, c.takes = timeout, unreachable
	o := c.call(ctx, address, parcel{id: "fwd_x", body: []byte("{}")})

	return o.reason, o.status, o.answer
}

// StopsBeyond sets how much may wait for a target that fails.
func (s *Sender) StopsBeyond(n int) { s.most = n }
