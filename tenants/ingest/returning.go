package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// returning leaves out of a batch what would bring back somebody who was erased: everything from before that, also where WhatsApp sends it
// again, and what other than a message or call of theirs would have them known again. Whoever writes after they were erased is there
// again. It returns the events that count and the items of which nothing does.
func returning(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, seen []identity.Seen) (kept []identity.Seen, gone []int64, err error) {
	asked, err := erased.Any(ctx, tx)
	if err != nil || !asked {
		return seen, nil, err
	}
	if keys == nil {
		return nil, nil, errNoKeys
	}

	h := erased.For(keys, tx.Tenant)
	hashes, values, of := make([][][]byte, len(seen)), map[string]bool{}, map[string]string{}
	var all [][]byte
	for i, s := range seen {
		for _, p := range partiesOf(s.Event) {
			for _, id := range []string{p.Phone, p.BSUID} {
				if id != "" {
					hash := h.Hash(erased.Identifier, id)
					hashes[i], values[id], of[string(hash)] = append(hashes[i], hash), true, id
				}
			}
		}
		if s.Event.WAMID != "" {
			hashes[i] = append(hashes[i], h.Hash(erased.WAMID, s.Event.WAMID))
		}
		all = append(all, hashes[i]...)
	}
	stones, err := erased.Find(ctx, tx, all)
	if err != nil || len(stones) == 0 {
		return seen, nil, err
	}
	known, err := identity.Existing(ctx, tx, keysOf(values))
	if err != nil {
		return nil, nil, err
	}

	left := map[int64]bool{}
	for i, s := range seen {
		counts, stopped := true, time.Time{}
		for _, hash := range hashes[i] {
			stone, ok := stones[string(hash)]
			switch {
			case !ok:
			case !afterwards(s, stone, known), s.Event.Kind == whatsapp.KindSync && !known[of[string(hash)]]:
				// An entry of the business's address book names who was erased, whomever else it names.
				counts = false
			case stone.Stopped:
				stopped = stone.ErasedAt
			}
		}
		if !counts {
			gone = append(gone, s.ItemID)
			continue
		}
		kept, left[s.ItemID] = append(kept, s), true
		if startsAnew(s.Event.Kind) {
			if p := s.Event.Party; !stopped.IsZero() && !known[p.Phone] && !known[p.BSUID] {
				kept = append(kept, stillStopped(s, stopped))
			}
			for _, p := range partiesOf(s.Event) {
				known[p.Phone], known[p.BSUID] = p.Phone != "", p.BSUID != ""
			}
		}
	}
	if len(gone) == 0 {
		return kept, nil, nil
	}
	slices.Sort(gone)
	gone = slices.Compact(gone)
	// Of an item that tells of several people some may be left: then its bytes are cut, not emptied.
	if _, err := tx.ExecContext(ctx, `UPDATE inbox_items SET cut_due = true WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Int64Array(gone)); err != nil {
		return nil, nil, fmt.Errorf("note what is of the erased: %w", err)
	}
	gone = slices.DeleteFunc(gone, func(id int64) bool { return left[id] })
	if _, err := tx.ExecContext(ctx, `
		UPDATE inbox_items SET body = $3, sealed = false WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Int64Array(gone), []byte(emptied)); err != nil {
		return nil, nil, fmt.Errorf("empty items of the erased: %w", err)
	}

	return kept, gone, nil
}

// afterwards tells whether an event is of a person's life after they were erased.
func afterwards(s identity.Seen, stone erased.Stone, known map[string]bool) bool {
	if stone.Kind == erased.WAMID {
		return false
	}
	at := s.Event.At
	if at.IsZero() {
		at = s.ReceivedAt
	}
	// WhatsApp's clock tells whole seconds: what it says of the second itself was before.
	if !at.After(stone.ErasedAt) {
		return false
	}

	return startsAnew(s.Event.Kind) || slices.ContainsFunc(partiesOf(s.Event), func(p whatsapp.Party) bool { return known[p.Phone] || known[p.BSUID] })
}

func startsAnew(kind whatsapp.ItemKind) bool {
	return kind == whatsapp.KindMessage || kind == whatsapp.KindCall || kind == whatsapp.KindEcho
}

// stillStopped is that whoever comes back wanted no advertising when they were erased: nothing but their own word ends that.
func stillStopped(s identity.Seen, at time.Time) identity.Seen {
	s.Event = whatsapp.Event{
		Kind: whatsapp.KindPreference, PhoneNumberID: s.Event.PhoneNumberID, At: at.Truncate(time.Second), Party: s.Event.Party,
		Type: identity.Marketing, Status: identity.Stop,
	}
	s.Codes = nil

	return s
}
