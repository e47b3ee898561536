package ingest

import (
	"bytes"
	"context"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/phonefree"
)

// hush seals the body of a delivery that names a number which keeps no phones. It goes by what was known of such numbers half a second
// ago, and by plain text: what slips through, the splitter seals.
func (r *Receiver) hush(body []byte) (stored []byte, sealed bool, err error) {
	quiet := r.quiet.Load()
	if quiet == nil || r.opts.Keys == nil {
		return body, false, nil
	}
	for _, id := range *quiet {
		if bytes.Contains(body, id) {
			stored, err = phonefree.SealDelivery(r.opts.Keys, body)
			return stored, err == nil, err
		}
	}

	return body, false, nil
}

// learnQuiet looks up which numbers keep no phones.
func (r *Receiver) learnQuiet(ctx context.Context) {
	if r.opts.Keys == nil {
		return
	}
	var ids []string
	err := r.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &ids, `SELECT DISTINCT phone_number_id FROM number_directory WHERE phone_free`)
	})
	if err != nil {
		return // what was known stands
	}
	quiet := make([][]byte, len(ids))
	for i, id := range ids {
		quiet[i] = []byte(id)
	}
	r.quiet.Store(&quiet)
}
