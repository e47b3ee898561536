package ingest

import "github.com/lib/pq"

// packed is many byte strings on their way to the database as one, to be cut there by substring: Postgres takes several times
// as long to parse an array of them.
type packed struct {
	data  []byte
	start pq.Int64Array // from 1, as substring counts
	size  pq.Int64Array
}

func (p *packed) add(b []byte) {
	p.start = append(p.start, int64(len(p.data))+1)
	p.size = append(p.size, int64(len(b)))
	p.data = append(p.data, b...)
}

// bytes is all of them together, never nil, which would be NULL.
func (p *packed) bytes() []byte {
	if p.data == nil {
		return []byte{}
	}

	return p.data
}
