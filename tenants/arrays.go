package tenants

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
)

// Types of elements, as PostgreSQL numbers them.
const (
	oidUUID        = 2950
	oidTimestampTZ = 1184
)

// CheckNamedValue writes arrays of ids and times, of which a lane's batch is made, in PostgreSQL's own form: spelling each here and reading
// it there was a fifteenth of what an event costs. Such an array is of uuid or timestamptz and of nothing else; where dates are wanted, they
// are given as text. JSON goes as text, for jsonb in its own form is another. All else is left to the driver.
func (k *keeping) CheckNamedValue(value *driver.NamedValue) error {
	switch v := value.Value.(type) {
	case pq.GenericArray:
		switch of := v.A.(type) {
		case []uuid.UUID:
			value.Value = write(of, oidUUID, 16, appendID)
			return nil
		case []*uuid.UUID:
			value.Value = writeNullable(of, oidUUID, 16, appendID)
			return nil
		case []time.Time:
			value.Value = write(of, oidTimestampTZ, 8, appendTime)
			return nil
		case []*time.Time:
			value.Value = writeNullable(of, oidTimestampTZ, 8, appendTime)
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

// write is an array in PostgreSQL's own form, of elements of a fixed size; nil is NULL.
func write[E any](list []E, oid uint32, size int, appendTo func([]byte, E) []byte) driver.Value {
	if list == nil {
		return nil
	}
	out := appendHeader(make([]byte, 0, headerSize+(4+size)*len(list)), oid, len(list), false)
	for _, e := range list {
		out = appendTo(binary.BigEndian.AppendUint32(out, uint32(size)), e)
	}

	return out
}

// writeNullable is write of elements that may be NULL.
func writeNullable[E any](list []*E, oid uint32, size int, appendTo func([]byte, E) []byte) driver.Value {
	if list == nil {
		return nil
	}
	out := appendHeader(make([]byte, 0, headerSize+(4+size)*len(list)), oid, len(list), true)
	for _, e := range list {
		if e == nil {
			out = binary.BigEndian.AppendUint32(out, isNull)
			continue
		}
		out = appendTo(binary.BigEndian.AppendUint32(out, uint32(size)), *e)
	}

	return out
}

const (
	headerSize = 20
	isNull     = 0xffffffff // as a length
)

// appendHeader says how many dimensions there are, whether elements may be NULL, of what type they are, how many, and the first one's index.
func appendHeader(out []byte, oid uint32, n int, nullable bool) []byte {
	var dimensions, nulls uint32
	if n > 0 {
		dimensions = 1
	}
	if nullable {
		nulls = 1
	}
	out = binary.BigEndian.AppendUint32(out, dimensions)
	out = binary.BigEndian.AppendUint32(out, nulls)
	out = binary.BigEndian.AppendUint32(out, oid)
	if n == 0 {
		return out
	}
	out = binary.BigEndian.AppendUint32(out, uint32(n))

	return binary.BigEndian.AppendUint32(out, 1)
}

func appendID(out []byte, id uuid.UUID) []byte { return append(out, id[:]...) }

// appendTime counts microseconds from the year 2000 on, rounded as PostgreSQL rounds what it reads.
func appendTime(out []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(out, uint64(t.Round(time.Microsecond).UnixMicro()-year2000))
}

var year2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
