package tenants

import (
	"database/sql/driver"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
)

// CheckNamedValue writes arrays of ids and times, of which a lane's batch is made, as pq.Array would, without looking at each element by
// reflection. All else is left to the driver.
func (k *keeping) CheckNamedValue(value *driver.NamedValue) error {
	array, ok := value.Value.(pq.GenericArray)
	if !ok {
		return k.pqConn.CheckNamedValue(value)
	}
	switch of := array.A.(type) {
	case []uuid.UUID:
		value.Value = write(of, appendID)
	case []*uuid.UUID:
		value.Value = write(of, orNull(appendID))
	case []time.Time:
		value.Value = write(of, appendTime)
	case []*time.Time:
		value.Value = write(of, orNull(appendTime))
	default:
		return k.pqConn.CheckNamedValue(value)
	}

	return nil
}

// write is an array as PostgreSQL reads it; nil is NULL.
func write[E any](list []E, appendTo func([]byte, E) []byte) driver.Value {
	if list == nil {
		return nil
	}
	out := make([]byte, 1, 2+33*len(list))
	out[0] = '{'
	for i, e := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendTo(out, e)
	}

	return string(append(out, '}'))
}

func orNull[E any](appendTo func([]byte, E) []byte) func([]byte, *E) []byte {
	return func(out []byte, e *E) []byte {
		if e == nil {
			return append(out, "NULL"...)
		}

		return appendTo(out, *e)
	}
}

// appendID leaves out the hyphens, which PostgreSQL does not need.
func appendID(out []byte, id uuid.UUID) []byte { return hex.AppendEncode(out, id[:]) }

func appendTime(out []byte, t time.Time) []byte {
	out = append(out, '"')
	out = append(out, pq.FormatTimestamp(t)...)

	return append(out, '"')
}
