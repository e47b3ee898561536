package adoption

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

// Target is how far a business is from knowing every contact by a WhatsApp ID on the day that it chose.
type Target struct {
	By      time.Time // the day
	Days    int       // until it, negative where it is over
	All     int64     // contacts
	Known   int64     // of them, those whose ID is known
	Phone   int64     // those of whom a phone alone is known
	Neither int64
}

// Left is how many contacts have no known ID.
func (t Target) Left() int64 { return t.All - t.Known }

// PerWeek is how many of them must become known in each week, or begun week, that is left.
func (t Target) PerWeek() int64 {
	weeks := int64(max(1, (t.Days+6)/7))

	return (t.Left() + weeks - 1) / weeks
}

// Aim measures how far tx's tenant is from a day that is so many days ahead. It reads the sums of reach, so it costs the same for any number of contacts.
func Aim(ctx context.Context, tx *tenants.Tx, by time.Time, days int) (Target, error) {
	t := Target{By: by, Days: days}
	var rows []struct {
		Reach string `db:"reach"`
		N     int64  `db:"n"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT reach, n FROM reach_sums WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return Target{}, fmt.Errorf("measure what is left to a target: %w", err)
	}
	for _, r := range rows {
		t.All += r.N
		switch r.Reach {
		case "phone":
			t.Phone = r.N
		case "neither":
			t.Neither = r.N
		default:
			t.Known += r.N
		}
	}

	return t, nil
}
