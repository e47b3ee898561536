package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

// Pulse is how long what waits has waited, over all businesses: how well the platform works, without anything of whose it is. A duration
// is zero where nothing waits.
type Pulse struct {
	Taken    time.Duration // the oldest delivery that is stored and not taken apart
	Resolved time.Duration // the oldest item that does not stand with its customer yet
	Mail     time.Duration // the mail that should have been sent the longest ago
}

// Feel takes the pulse, in a System transaction.
func Feel(ctx context.Context, tx *tenants.Tx) (Pulse, error) {
	var row struct {
		Taken    float64 `db:"taken"`
		Resolved float64 `db:"resolved"`
		Mail     float64 `db:"mail"`
	}
	err := tx.GetContext(ctx, &row, `
		SELECT greatest(extract(epoch FROM now() - (SELECT received_at FROM inbox_events WHERE split_at IS NULL ORDER BY id LIMIT 1)), 0) AS taken,
		       greatest(extract(epoch FROM now() - (SELECT min(since) FROM inbox_items WHERE state = 'waiting')), 0) AS resolved,
		       greatest(extract(epoch FROM now() - (SELECT min(run_at) FROM mails WHERE state = 'waiting')), 0) AS mail`)
	if err != nil {
		return Pulse{}, fmt.Errorf("take the pulse: %w", err)
	}

	return Pulse{Taken: seconds(row.Taken), Resolved: seconds(row.Resolved), Mail: seconds(row.Mail)}, nil
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// Public lists what stands and is for everybody, signed in or not, the newest first, at most 3, in a System transaction.
func Public(ctx context.Context, tx *tenants.Tx) ([]Announcement, error) {
	list := []Announcement{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT id, en, hi, audience, by_name, at, ends_at, false AS over FROM announcements
		WHERE audience = 'public' AND ends_at > now() ORDER BY at DESC, id DESC LIMIT 3`); err != nil {
		return nil, fmt.Errorf("list public announcements: %w", err)
	}

	return list, nil
}
