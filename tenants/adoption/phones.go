package adoption

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Who has a phone now.
const (
	holderNone    = 0
	holderUnknown = 1 // an account whose WhatsApp ID is not known
	holderKnown   = 2
)

// Call is a message or call between one of the business's numbers and a customer's phone, in either direction.
type Call struct {
	Phone, Number uuid.UUID
	At            time.Time
	WAMID         string // of a status whose message may have gone to a WhatsApp ID instead, else ""
	WithID        bool   // the caller knows that whoever has the phone now has a WhatsApp ID; false says nothing
}

type windowKey struct{ phone, number uuid.UUID }

func (a windowKey) compare(b windowKey) int {
	return cmp.Or(bytes.Compare(a.phone[:], b.phone[:]), bytes.Compare(a.number[:], b.number[:]))
}

// window is when a phone and a number last had to do with each other.
type window struct {
	Phone  uuid.UUID `db:"phone_id"`
	Number uuid.UUID `db:"number_id"`
	LastAt time.Time `db:"last_at"`
	Holder int       `db:"holder"`
}

func (w window) cell() cell {
	return cell{kind: cellPhone, place: w.Number.String(), at: w.LastAt.Truncate(time.Hour).Unix(), shown: w.Holder}
}

// RecordCalls notes when numbers and phones last had to do with each other, to the minute before: a forecast may say a minute too early,
// never too late.
func RecordCalls(ctx context.Context, tx *tenants.Tx, calls []Call) error {
	toID, err := sentToIDs(ctx, tx, calls)
	if err != nil {
		return err
	}
	told, holders := map[windowKey]time.Time{}, map[uuid.UUID]int{}
	for _, c := range calls {
		if c.WithID {
			holders[c.Phone] = holderKnown
		}
		k, at := windowKey{c.Phone, c.Number}, c.At.UTC().Truncate(time.Minute)
		if !toID[sentKey{c.Number, c.WAMID}] && at.After(told[k]) {
			told[k] = at
		}
	}
	if len(told) == 0 {
		return nil
	}

	keys := slices.SortedFunc(maps.Keys(told), windowKey.compare)
	phones, numbers := make([]uuid.UUID, len(keys)), make([]uuid.UUID, len(keys))
	for i, k := range keys {
		phones[i], numbers[i] = k.phone, k.number
	}
	var rows []window
	if err := tx.SelectContext(ctx, &rows, `
		SELECT p.phone_id, p.number_id, p.last_at, p.holder FROM unnest($2::uuid[], $3::uuid[]) AS w (phone_id, number_id)
		JOIN phone_windows p ON p.tenant_id = $1 AND p.phone_id = w.phone_id AND p.number_id = w.number_id`,
		tx.Tenant, pq.Array(phones), pq.Array(numbers)); err != nil {
		return fmt.Errorf("read windows of phones: %w", err)
	}
	s, known := sums{}, map[windowKey]bool{}
	var put, added []window
	for _, r := range rows {
		k := windowKey{r.Phone, r.Number}
		known[k] = true
		if !told[k].After(r.LastAt) {
			continue
		}
		r.LastAt = r.LastAt.UTC()
		s.addPhone(r, -1)
		r.LastAt = told[k]
		s.addPhone(r, 1)
		put = append(put, r)
	}

	var fresh []uuid.UUID
	for _, k := range keys {
		if !known[k] && holders[k.phone] != holderKnown {
			fresh = append(fresh, k.phone)
		}
	}
	asked, err := holdersOf(ctx, tx, fresh)
	if err != nil {
		return err
	}
	maps.Copy(holders, asked)
	for _, k := range keys {
		if !known[k] {
			w := window{Phone: k.phone, Number: k.number, LastAt: told[k], Holder: holders[k.phone]}
			s.addPhone(w, 1)
			added = append(added, w)
		}
	}
	if err := storeWindows(ctx, tx, added, ``); err != nil {
		return err
	}
	if err := putWindows(ctx, tx, put); err != nil {
		return err
	}

	return s.write(ctx, tx)
}

func (s sums) addPhone(w window, times int) { s[w.cell()] += times }

type sentKey struct {
	number uuid.UUID
	wamid  string
}

// sentToIDs tells which messages went out from here to a WhatsApp ID. Their statuses may show the phone, and open nothing.
func sentToIDs(ctx context.Context, tx *tenants.Tx, calls []Call) (map[sentKey]bool, error) {
	var (
		numbers []uuid.UUID
		wamids  []string
	)
	for _, c := range calls {
		if c.WAMID != "" {
			numbers, wamids = append(numbers, c.Number), append(wamids, c.WAMID)
		}
	}
	if len(wamids) == 0 {
		return nil, nil //nolint:nilnil // none
	}
	var rows []struct {
		Number uuid.UUID `db:"number_id"`
		WAMID  string    `db:"wamid"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT m.number_id, m.wamid FROM unnest($2::uuid[], $3::text[]) AS w (number_id, wamid)
		JOIN messages m ON m.tenant_id = $1 AND m.number_id = w.number_id AND m.wamid = w.wamid
		JOIN outbox o ON o.tenant_id = $1 AND o.message_id = m.id
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = o.identifier_id AND d.kind <> 'phone'`,
		tx.Tenant, pq.Array(numbers), pq.Array(wamids)); err != nil {
		return nil, fmt.Errorf("read where messages went: %w", err)
	}
	out := make(map[sentKey]bool, len(rows))
	for _, r := range rows {
		out[sentKey{r.Number, r.WAMID}] = true
	}

	return out, nil
}

// holder tells of a phone w.phone_id who has it now.
const holder = `coalesce((SELECT CASE WHEN EXISTS (SELECT 1 FROM tenures o JOIN identifiers d ON d.tenant_id = $1 AND d.id = o.identifier_id AND d.kind || '' = 'bsuid'
	                                              WHERE o.tenant_id = $1 AND o.identity_id = t.identity_id) THEN 2 ELSE 1 END
	FROM tenures t WHERE t.tenant_id = $1 AND t.identifier_id = w.phone_id AND t.current ORDER BY t.last_seen DESC, t.id LIMIT 1), 0)`

func holdersOf(ctx context.Context, tx *tenants.Tx, phones []uuid.UUID) (map[uuid.UUID]int, error) {
	if len(phones) == 0 {
		return nil, nil //nolint:nilnil // none
	}
	var rows []struct {
		Phone  uuid.UUID `db:"phone_id"`
		Holder int       `db:"holder"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT w.phone_id, `+holder+` AS holder FROM unnest($2::uuid[]) AS w (phone_id)`, tx.Tenant, pq.Array(phones)); err != nil {
		return nil, fmt.Errorf("read holders of phones: %w", err)
	}
	out := make(map[uuid.UUID]int, len(rows))
	for _, r := range rows {
		out[r.Phone] = r.Holder
	}

	return out, nil
}

// MovePhones follows who has some phones, after that was derived anew.
func MovePhones(ctx context.Context, tx *tenants.Tx, phones []uuid.UUID) error {
	if len(phones) == 0 {
		return nil
	}
	var rows []struct {
		window

		Now int `db:"now"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT q.phone_id, q.number_id, q.last_at, q.holder, q.now
		FROM (SELECT w.phone_id, w.number_id, w.last_at, w.holder, `+holder+` AS now
		      FROM unnest($2::uuid[]) AS a (phone_id) JOIN phone_windows w ON w.tenant_id = $1 AND w.phone_id = a.phone_id) q
		WHERE q.holder <> q.now`, tx.Tenant, pq.Array(phones)); err != nil {
		return fmt.Errorf("read whose phones are: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	s, put := sums{}, make([]window, len(rows))
	for i, r := range rows {
		s.addPhone(r.window, -1)
		r.Holder = r.Now
		s.addPhone(r.window, 1)
		put[i] = r.window
	}
	if err := putWindows(ctx, tx, put); err != nil {
		return err
	}

	return s.write(ctx, tx)
}

// putWindows stores windows as they are to be, known or not.
func putWindows(ctx context.Context, tx *tenants.Tx, list []window) error {
	return storeWindows(ctx, tx, list, `
		ON CONFLICT (tenant_id, phone_id, number_id) DO UPDATE SET last_at = excluded.last_at, hour = excluded.hour, holder = excluded.holder`)
}

// storeWindows is to windows what storeRows is to rows.
func storeWindows(ctx context.Context, tx *tenants.Tx, list []window, known string) error {
	if len(list) == 0 {
		return nil
	}
	var (
		phones, numbers []uuid.UUID
		at              []time.Time
		holders         []int64
	)
	slices.SortFunc(list, func(a, b window) int {
		return windowKey{a.Phone, a.Number}.compare(windowKey{b.Phone, b.Number})
	})
	for _, w := range list {
		phones, numbers, at, holders = append(phones, w.Phone), append(numbers, w.Number), append(at, w.LastAt), append(holders, int64(w.Holder))
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO phone_windows (tenant_id, phone_id, number_id, last_at, hour, holder)
		SELECT $1, w.phone_id, w.number_id, w.last_at, date_trunc('hour', w.last_at, 'UTC'), w.holder
		FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::bigint[]) AS w (phone_id, number_id, last_at, holder)`+known,
		tx.Tenant, pq.Array(phones), pq.Array(numbers), pq.Array(at), pq.Array(holders)); err != nil {
		return fmt.Errorf("put windows of phones: %w", err)
	}

	return nil
}
