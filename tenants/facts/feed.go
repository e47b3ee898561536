package facts

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Entry is one piece of news: a fact as it was first stated or changed.
type Entry struct {
	Fact
	Replaced bool   `db:"replaced"` // it has been changed since
	WasEN    string `db:"was_en"`   // what it stated before; empty for a new fact
	WasHI    string `db:"was_hi"`
}

// Was is what the fact stated before, in a language.
func (e Entry) Was(lang string) string { return pick(lang, e.WasEN, e.WasHI) }

// Filter says which news to list. The zero value is all of it from the newest on.
type Filter struct {
	Country string
	Topic   string
	After   int64  // only what became visible after this Seq
	Cursor  string // where the page before ended
	Limit   int    // 1 to 200; anything else means 200
}

const maxList = 200

// News lists news, newest day first, and the cursor of the next page, empty on the last. Where a fact has only been checked again
// since, the entry carries the newer check.
func News(ctx context.Context, tx *tenants.Tx, filter Filter) ([]Entry, string, error) {
	limit := filter.Limit
	if limit < 1 || limit > maxList {
		limit = maxList
	}
	day, seq, err := readCursor(filter.Cursor)
	if err != nil {
		return nil, "", err
	}

	list := []Entry{}
	err = tx.SelectContext(ctx, &list, `
		SELECT f.seq, f.key, f.version, f.topic, f.country, f.aspect, f.kind, f.value, f.title_en, f.title_hi, f.text_en, f.text_hi, f.doubt_en, f.doubt_hi,
		       c.sources, c.verified_on, c.expires_on, c.confidence, f.dated, f.news, f.shipped, f.by_name, f.at,
		       EXISTS (SELECT 1 FROM facts n WHERE n.key = f.key AND n.version > f.version AND n.news) AS replaced,
		       coalesce(was.text_en, '') AS was_en, coalesce(was.text_hi, '') AS was_hi
		FROM facts f
		JOIN LATERAL (
			SELECT sources, verified_on, expires_on, confidence FROM facts v
			WHERE v.key = f.key AND v.version >= f.version
			  AND v.version < coalesce((SELECT min(n.version) FROM facts n WHERE n.key = f.key AND n.version > f.version AND n.news), v.version + 1)
			ORDER BY v.version DESC LIMIT 1
		) c ON true
		LEFT JOIN facts was ON was.key = f.key AND was.version = f.version - 1
		WHERE f.news AND f.seq > $1 AND ($2 = '' OR f.country = $2) AND ($3 = '' OR f.topic = $3)
		  AND ($4::date IS NULL OR (f.dated, f.seq) < ($4, $5))
		ORDER BY f.dated DESC, f.seq DESC LIMIT $6`,
		filter.After, filter.Country, filter.Topic, day, seq, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list news: %w", err)
	}
	if len(list) <= limit {
		return list, "", nil
	}
	list = list[:limit]
	last := list[limit-1]

	return list, last.Dated.Format(time.DateOnly) + "." + strconv.FormatInt(last.Seq, 10), nil
}

func readCursor(cursor string) (day *time.Time, seq int64, err error) {
	if cursor == "" {
		return nil, 0, nil
	}
	on, id, _ := strings.Cut(cursor, ".")
	at, dayErr := time.Parse(time.DateOnly, on)
	seq, seqErr := strconv.ParseInt(id, 10, 64)
	if dayErr != nil || seqErr != nil {
		return nil, 0, tenants.ErrNotFound
	}

	return &at, seq, nil
}

// readTo is the Seq up to which a person of a tenant has read. Who has never said so has nothing to catch up on from before they joined.
const readTo = `coalesce((SELECT seq FROM fact_reads WHERE tenant_id = $1 AND person_id = $2),
	(SELECT max(f.seq) FROM facts f JOIN memberships m ON m.tenant_id = $1 AND m.person_id = $2 WHERE f.at <= m.created_at), 0)`

// ReadTo is up to which Seq a person of tx's tenant has read.
func ReadTo(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (int64, error) {
	var seq int64
	if err := tx.GetContext(ctx, &seq, `SELECT `+readTo, tx.Tenant, person); err != nil {
		return 0, fmt.Errorf("read how far a person has read: %w", err)
	}

	return seq, nil
}

// Unread counts the facts that changed since a person of tx's tenant last said that they have read them.
func Unread(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (int, error) {
	var n int
	err := tx.GetContext(ctx, &n, `SELECT count(DISTINCT key) FROM facts WHERE news AND seq > `+readTo, tx.Tenant, person)
	if err != nil {
		return 0, fmt.Errorf("count unread facts: %w", err)
	}

	return n, nil
}

// Newest is the highest Seq of the ledger, 0 where it is empty.
func Newest(ctx context.Context, tx *tenants.Tx) (int64, error) {
	var seq int64
	if err := tx.GetContext(ctx, &seq, `SELECT coalesce(max(seq), 0) FROM facts`); err != nil {
		return 0, fmt.Errorf("read the ledger's end: %w", err)
	}

	return seq, nil
}

// LastNews is when each fact last said something new, as the Seq of that version, by key.
func LastNews(ctx context.Context, tx *tenants.Tx) (map[string]int64, error) {
	var list []struct {
		Key string `db:"key"`
		Seq int64  `db:"seq"`
	}
	if err := tx.SelectContext(ctx, &list, `SELECT key, max(seq) AS seq FROM facts WHERE news GROUP BY key LIMIT $1`, mostFacts); err != nil {
		return nil, fmt.Errorf("read when facts changed: %w", err)
	}
	last := make(map[string]int64, len(list))
	for _, f := range list {
		last[f.Key] = f.Seq
	}

	return last, nil
}

// MarkRead notes that a person of tx's tenant has read up to seq; never back, and never further than the ledger reaches.
func MarkRead(ctx context.Context, tx *tenants.Tx, person uuid.UUID, seq int64) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO fact_reads (tenant_id, person_id, seq)
		SELECT $1, $2, least($3, coalesce(max(seq), 0)) FROM facts
		ON CONFLICT (tenant_id, person_id) DO UPDATE SET seq = greatest(fact_reads.seq, excluded.seq), at = now()`, tx.Tenant, person, seq); err != nil {
		return fmt.Errorf("mark facts read: %w", err)
	}

	return nil
}

// NewsAt is when each fact last said something new, by key: a check of its source alone does not count.
func NewsAt(ctx context.Context, tx *tenants.Tx) (map[string]time.Time, error) {
	var rows []struct {
		Key string    `db:"key"`
		At  time.Time `db:"at"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT key, max(at) AS at FROM facts WHERE news GROUP BY key LIMIT $1`, mostFacts); err != nil {
		return nil, fmt.Errorf("list when facts changed: %w", err)
	}
	told := make(map[string]time.Time, len(rows))
	for _, r := range rows {
		told[r.Key] = r.At
	}

	return told, nil
}
