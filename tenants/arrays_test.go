package tenants_test

import (
	"database/sql/driver"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// asText is an array as lib/pq writes it by itself.
type asText struct{ pq.GenericArray }

func (a asText) Value() (driver.Value, error) { return a.GenericArray.Value() }

func TestArraysArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	id, at := uuid.New(), time.Date(2026, 11, 23, 9, 30, 15, 123456000, time.FixedZone("", 5*3600+1800))
	old := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	d := testdb.New(t)
	for _, c := range []struct {
		kind  string
		array any
	}{
		{"uuid", []uuid.UUID{id, uuid.Nil, uuid.Max}},
		{"uuid", []uuid.UUID{}},
		{"uuid", []uuid.UUID(nil)},
		{"uuid", []*uuid.UUID{nil, &id}},
		{"timestamptz", []time.Time{at, old, {}, at.Add(700)}}, // nanoseconds are rounded
		{"timestamptz", []*time.Time{&at, nil}},
		{"text", []*string{nil}}, // left to the driver
	} {
		err := d.DB.System(t.Context(), func(tx *tenants.Tx) error {
			var same bool
			err := tx.GetContext(t.Context(), &same, `SELECT $1::`+c.kind+`[] IS NOT DISTINCT FROM $2::`+c.kind+`[]`,
				pq.Array(c.array), asText{pq.GenericArray{A: c.array}})
			if !same {
				t.Errorf("%T %v: got another array than the driver's own", c.array, c.array)
			}

			return err
		})
		if err != nil {
			t.Errorf("%T: %v", c.array, err)
		}
	}
}

func TestJSONArrivesAsText(t *testing.T) {
	t.Parallel()
	err := testdb.New(t).DB.System(t.Context(), func(tx *tenants.Tx) error {
		var got string
		if err := tx.GetContext(t.Context(), &got, `SELECT $1::jsonb ->> 'name'`, json.RawMessage(`{"name":"Asha"}`)); err != nil {
			return err
		}
		if got != "Asha" {
			t.Errorf("got %q", got)
		}

		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
