package identity

import (
	"time"

	"github.com/google/uuid"
)

// farFuture is later than anything that is listed newest first.
var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Size is how many rows the page holds.
func (p Page) Size() int { return p.limit() }

// Before is the place in a list, sorted by time and id with the newest first, before whose row the page begins. A cursor that
// cannot be read is Invalid.
func (p Page) Before() (at time.Time, id uuid.UUID, err error) {
	after, err := p.parse()
	if err != nil {
		return time.Time{}, uuid.Nil, err
	}
	if after == nil {
		return farFuture, uuid.Max, nil
	}

	return after.At, after.ID, nil
}

// CursorAt is the cursor of the page that begins after the row of this time and id.
func CursorAt(at time.Time, id uuid.UUID) string { return cursor{At: at, ID: id}.String() }
