package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	keepTries = 6                // to keep what Meta answered, while the database is away
	keepLimit = 30 * time.Second // less than a lease lives
	mostTries = 10               // of a message that Graph answers with an error of its own, again and again
)

// counts is what came of the messages of a turn.
type counts struct {
	mu       sync.Mutex
	accepted int
	refused  int
	later    int
	unknown  int
	trouble  string
}

func (c *counts) stopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.trouble != ""
}

func (c *counts) count(v whatsapp.Verdict, sent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case sent:
		c.accepted++
	case v.Fate == whatsapp.FateRefused:
		c.refused++
	case v.Fate == whatsapp.FateLater:
		c.later++
	default:
		c.unknown++
	}
	if v.Trouble != "" {
		c.trouble = v.Trouble
	}
}

// serve gives a number its turn.
func (s *Sender) serve(ctx context.Context, l lane) error {
	t, ok, err := s.claim(ctx, l)
	if err != nil || !ok {
		return err
	}
	s.step("claimed")

	var c counts
	switch {
	case t.trouble == whatsapp.TroubleToken:
		c.trouble = t.trouble
	case t.trouble == whatsapp.TroubleGraphDown && !s.up(ctx, t):
		c.trouble = t.trouble
	default:
		err = s.send(ctx, t, &c)
	}
	s.step("sent")

	// Also where ctx has ended: else nobody may serve the number until the lease runs out.
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepLimit)
	defer cancel()
	if errors.Is(err, errLost) {
		return err
	}
	err = errors.Join(err, s.release(keeping, t, c.trouble))
	s.tell(t, &c)

	return err
}

// tell logs what came of a turn.
func (s *Sender) tell(t turn, c *counts) {
	if c.accepted+c.refused+c.later+c.unknown > 0 {
		s.log.Info("messages sent", "tenant", t.Tenant, "number", t.Number,
			"accepted", c.accepted, "refused", c.refused, "later", c.later, "unknown", c.unknown)
	}
	if c.trouble != "" && c.trouble != t.trouble {
		s.log.Warn("number rests from sending", "tenant", t.Tenant, "number", t.Number, "trouble", c.trouble)
	}
}

// up asks Graph for something that changes nothing, so that a Graph that takes messages and gives no answers is not fed one message
// after the other. Whatever Graph itself answers means that it is there.
func (s *Sender) up(ctx context.Context, t turn) bool {
	_, err := s.graph.PhoneNumber(ctx, t.token, t.number.PhoneNumberID)
	if err == nil {
		return true
	}

	return whatsapp.FateOf(err).Trouble != whatsapp.TroubleGraphDown
}

// send sends what the turn holds, the messages of each account one after the other.
func (s *Sender) send(ctx context.Context, t turn, c *counts) error {
	var order []uuid.UUID
	by := map[uuid.UUID][]waiting{}
	for _, w := range t.waiting {
		if by[w.Identity] == nil {
			order = append(order, w.Identity)
		}
		by[w.Identity] = append(by[w.Identity], w)
	}

	group, going := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, account := range order {
		group.Go(func() error {
			for _, w := range by[account] {
				if c.stopped() {
					return nil
				}
				if err := going.Err(); err != nil {
					return fmt.Errorf("go on sending: %w", err)
				}
				again, err := s.one(ctx, t, w, c)
				if err != nil || again {
					return err
				}
			}

			return nil
		})
	}

	return group.Wait() //nolint:wrapcheck // each says what it was doing
}

// one sends one message. again tells that it has to be tried again before anything else goes to the same account.
func (s *Sender) one(ctx context.Context, t turn, w waiting, c *counts) (again bool, err error) {
	if err := s.limit(t.Number).Wait(ctx); err != nil {
		return true, nil // ctx has ended: it stays where it is
	}
	var (
		next conversations.Turn
		ok   bool
	)
	err = s.db.As(ctx, t.Tenant, func(tx *tenants.Tx) error {
		// Take first: who submits has the tenant's lock before the number's row too.
		if next, ok, err = conversations.Take(ctx, tx, w.ID, t.lease); err != nil {
			return err
		}
		return t.prolong(ctx, tx)
	})
	if err != nil || !ok {
		return false, err
	}
	s.step("taken")

	// From here on it may be out, so what comes of it is kept even where ctx ends.
	calling, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepLimit)
	defer cancel()
	wamid, callErr := s.graph.Send(calling, t.token, t.number.PhoneNumberID, next.Outgoing)
	s.step("called")
	v := whatsapp.Verdict{}
	if callErr != nil {
		v = whatsapp.FateOf(callErr)
	}
	c.count(v, callErr == nil)

	if err := s.keep(calling, t, func(ctx context.Context, tx *tenants.Tx) error { return s.settle(ctx, tx, t, w, wamid, v) }); err != nil {
		return false, fmt.Errorf("keep what came of message %s: %w", w.ID, err)
	}
	s.step("settled")

	return v.Fate == whatsapp.FateLater, nil
}

// settle stores what came of a call.
func (s *Sender) settle(ctx context.Context, tx *tenants.Tx, t turn, w waiting, wamid string, v whatsapp.Verdict) error {
	// As it is now: it may have been switched since the turn began, and the cleaning does not come by here again.
	free, err := numbers.PhoneFree(ctx, tx, t.Number)
	if err != nil {
		return err
	}
	if free {
		wamid, v.Title = phonefree.For(s.keys, t.Tenant).WAMID(wamid), whatsapp.MaskPhones(v.Title)
	}
	switch {
	case wamid != "":
		return conversations.Accept(ctx, tx, map[uuid.UUID]string{w.ID: wamid})
	case v.Fate == whatsapp.FateRefused:
		return conversations.Refuse(ctx, tx, w.ID, t.lease, v.Code, v.Title)
	case v.Fate == whatsapp.FateUnknown:
		return conversations.LoseTrack(ctx, tx, w.ID, t.lease)
	}
	if v.Trouble == whatsapp.TroubleToken {
		if err := numbers.TokenRefused(ctx, tx, t.Number); err != nil {
			return err
		}
	}
	reason, rest := v.Code, time.Duration(0)
	if v.Trouble != "" {
		reason = v.Trouble
	}
	if v.Trouble == whatsapp.TroubleGraphDown && v.Code != "" {
		if w.Tries+1 >= mostTries && w.Reason == reason {
			return conversations.Refuse(ctx, tx, w.ID, t.lease, reason, v.Title)
		}
		rest = 2 * restFor("", w.Tries+1) // it may be this message alone, so the number comes back before it does
	}
	if v.Trouble == "" {
		rest = restFor("", w.Tries+1)
	}

	return conversations.Postpone(ctx, tx, w.ID, t.lease, reason, rest)
}

// keep stores what Meta has answered, more than once where the database is away for a moment: what is lost here is unknown for good.
func (s *Sender) keep(ctx context.Context, t turn, store func(context.Context, *tenants.Tx) error) (err error) {
	for try := range keepTries {
		if err = s.db.As(ctx, t.Tenant, func(tx *tenants.Tx) error { return store(ctx, tx) }); err == nil || !tenants.Away(err) {
			return err
		}
		wait(ctx, shortPause<<try)
	}

	return err
}
