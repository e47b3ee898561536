package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// The slots of inbox_counters: who writes which row, so that a lane and the splitter do not wait for each other.
const (
	slotSplit = 0
	slotLane  = 1
)

// place is what a counter belongs to. The nil tenant is the platform, the nil number none in particular.
type place struct {
	tenant, number uuid.UUID
}

// figures are changes of one place's counters.
type figures struct {
	received, routed, held, setAside, waiting, duplicates int64
	accepted, repeated                                    int64 // deliveries, on the place of no number
}

// tally collects changes of counters, to be written with the items they count.
type tally map[place]*figures

func (t tally) at(tenant, number uuid.UUID) *figures {
	p := place{tenant, number}
	f, ok := t[p]
	if !ok {
		f = &figures{}
		t[p] = f
	}

	return f
}

// move counts n items into (or, negative, out of) a state.
func (f *figures) move(state string, n int64) {
	switch state {
	case Waiting:
		f.waiting += n
	case Routed:
		f.routed += n
	case Held:
		f.held += n
	case SetAside:
		f.setAside += n
	}
}

// write adds the changes to a slot, in the order of the key so that two writers cannot lock each other out.
func (t tally) write(ctx context.Context, tx *tenants.Tx, slot int) error {
	if len(t) == 0 {
		return nil
	}

	places := slices.SortedFunc(maps.Keys(t), comparePlaces)
	var (
		owners, numbers                                       []uuid.UUID
		received, routed, held, setAside, waiting, duplicates pq.Int64Array
		accepted, repeated                                    pq.Int64Array
	)
	for _, p := range places {
		f := t[p]
		owners, numbers = append(owners, p.tenant), append(numbers, p.number)
		received, routed, held = append(received, f.received), append(routed, f.routed), append(held, f.held)
		setAside, waiting, duplicates = append(setAside, f.setAside), append(waiting, f.waiting), append(duplicates, f.duplicates)
		accepted, repeated = append(accepted, f.accepted), append(repeated, f.repeated)
	}

	_, err := tx.ExecContext(ctx, `
		INSERT INTO inbox_counters AS c (tenant_id, number_id, slot, received, routed, held, set_aside, waiting, duplicates, accepted, repeated)
		SELECT w.tenant_id, w.number_id, $3, w.received, w.routed, w.held, w.set_aside, w.waiting, w.duplicates, w.accepted, w.repeated
		FROM unnest($1::uuid[], $2::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
		            $10::bigint[], $11::bigint[])
		     AS w (tenant_id, number_id, received, routed, held, set_aside, waiting, duplicates, accepted, repeated)
		ON CONFLICT (tenant_id, number_id, slot) DO UPDATE
		SET received = c.received + excluded.received, routed = c.routed + excluded.routed, held = c.held + excluded.held,
		    set_aside = c.set_aside + excluded.set_aside, waiting = c.waiting + excluded.waiting,
		    duplicates = c.duplicates + excluded.duplicates, accepted = c.accepted + excluded.accepted,
		    repeated = c.repeated + excluded.repeated`,
		pq.Array(owners), pq.Array(numbers), slot, received, routed, held, setAside, waiting, duplicates, accepted, repeated)
	if err != nil {
		return fmt.Errorf("move counters: %w", err)
	}

	return nil
}
