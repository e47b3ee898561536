package tenants

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
)

// CheckNamedValue writes arrays of ids and times, of which a lane's batch is made, in PostgreSQL's own form: spelling each here and reading
// it there was a fifteenth of what an event costs. Such an array is of uuid or timestamptz and of nothing else; where dates are wanted, they
// are given as text. JSON goes as text, for jsonb in its own form is another. All else is left to the driver.
func (k *keeping) CheckNamedValue(value *driver.NamedValue) error {
	switch v := value.Value.(type) {
	case pq.GenericArray:
		switch of := v.A.(type) {
		case []uuid.UUID:
			value.Value = ids.array(of)
			return nil
		case []*uuid.UUID:
			value.Value = ids.nullable(of)
			return nil
		case []time.Time:
			value.Value = times.array(of)
			return nil
		case []*time.Time:
			value.Value = times.nullable(of)
			return nil
		}
	case json.RawMessage:
		if v != nil {
			value.Value = string(v)
			return nil
		}
	}

	return k.pqConn.CheckNamedValue(value)
}

// elements is how those of an array are written: of what type they are, as PostgreSQL numbers it, how many bytes each has, and which.
type elements[E any] struct {
	oid, size uint32
	appendTo  func([]byte, E) []byte
}

var (
	ids   = elements[uuid.UUID]{2950, 16, appendID}
	times = elements[time.Time]{1184, 8, appendTime}
)

// array is a list as PostgreSQL's own form of an array; nil is NULL.
func (e elements[E]) array(list []E) driver.Value {
	if list == nil {
		return nil
	}

	return e.write(len(list), func(i int) *E { return &list[i] })
}

// nullable is array of a list in which nil is NULL.
func (e elements[E]) nullable(list []*E) driver.Value {
	if list == nil {
		return nil
	}

	return e.write(len(list), func(i int) *E { return list[i] })
}

func (e elements[E]) write(n int, at func(int) *E) []byte {
	const (
		header    = 20
		mayBeNull = 1
		first     = 1          // index of the first element
		isNull    = 0xffffffff // as a length
	)
	out := make([]byte, 0, header+n*int(4+e.size))
	out = binary.BigEndian.AppendUint32(out, uint32(min(n, 1))) // dimensions
	out = binary.BigEndian.AppendUint32(out, mayBeNull)
	out = binary.BigEndian.AppendUint32(out, e.oid)
	if n == 0 {
		return out
	}
	out = binary.BigEndian.AppendUint32(out, uint32(n))
	out = binary.BigEndian.AppendUint32(out, first)
	for i := range n {
		element := at(i)
		if element == nil {
			out = binary.BigEndian.AppendUint32(out, isNull)
			continue
		}
		out = e.appendTo(binary.BigEndian.AppendUint32(out, e.size), *element)
	}

	return out
}

func appendID(out []byte, id uuid.UUID) []byte { return append(out, id[:]...) }

// appendTime counts microseconds from the year 2000 on, rounded as PostgreSQL rounds what it reads.
func appendTime(out []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(out, uint64(t.Round(time.Microsecond).UnixMicro()-year2000))
}

var year2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
