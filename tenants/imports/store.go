package imports

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The states of an import, in order. A step that a worker carries out ends in -ing.
const (
	Unmapped = "mapping"  // its columns are to be named
	Checking = "checking" // the trial runs
	Checked  = "checked"  // to be looked at and started
	Running  = "running"
	Stopped  = "stopped" // by somebody, while it was taken in
	Done     = "done"
	Undoing  = "undoing"
	Undone   = "undone"
	Failed   = "failed"
)

// Import is a list of customers that was uploaded, and how far it has come.
type Import struct {
	ID        uuid.UUID  `db:"id"`
	FileName  string     `db:"file_name"`
	State     string     `db:"state"`
	Rows      int        `db:"rows"` // a heading included
	Widest    int        `db:"widest"`
	Scope     string     `db:"scope"`
	AtRow     int        `db:"at_row"` // how far the present step is
	New       int        `db:"n_new"`
	Changed   int        `db:"n_changed"`
	Same      int        `db:"n_same"`
	Conflict  int        `db:"n_conflict"`
	Skipped   int        `db:"n_skipped"`
	Reverted  int        `db:"n_undone"` // rows taken back
	Kept      int        `db:"n_kept"`   // rows that could not be, or not wholly
	ActorKind string     `db:"actor_kind"`
	ActorID   string     `db:"actor_id"`
	ActorName string     `db:"actor_name"`
	CreatedAt time.Time  `db:"created_at"`
	EndedAt   *time.Time `db:"ended_at"`
	Job       *uuid.UUID `db:"job_id"` // of the present step, or the last
	RawMap    []byte     `db:"mapping"`
	Mapping   Mapping    `db:"-"`
}

// Working tells that a worker has something to do for it.
func (i Import) Working() bool {
	return i.State == Checking || i.State == Running || i.State == Undoing
}

// People is how many rows there are, without the heading.
func (i Import) People() int {
	if i.Mapping.Headed {
		return i.Rows - 1
	}

	return i.Rows
}

// Actor is who uploaded the list.
func (i Import) Actor() tenants.Actor {
	return tenants.Actor{Kind: i.ActorKind, ID: i.ActorID, Name: i.ActorName}
}

const importColumns = `id, file_name, state, rows, widest, scope, at_row, n_new, n_changed, n_same, n_conflict, n_skipped, n_undone, n_kept,
	actor_kind, actor_id, actor_name, created_at, ended_at, job_id, mapping`

const (
	sampleRows = 6 // a heading and five
	storeRows  = 1000
	storeBytes = 1 << 20 // a batch ends at the first row that passes it, when it is stored and when it is read
)

// Start stores a list, row by row as it is read, and guesses what its columns hold. Invalid of "file" where it is no CSV;
// Conflict "too_many_lists" past the quota of a day, "too_many_unfinished" past that of those nobody has taken in.
func Start(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, fileName string, list io.Reader) (Import, error) {
	for _, q := range []tenants.Quota{tenants.QuotaLists, tenants.QuotaUnfinished} {
		if err := tenants.Within(ctx, tx, q); err != nil {
			return Import{}, err
		}
	}
	rows, err := NewReader(list)
	if err != nil {
		return Import{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Import{}, fmt.Errorf("make import id: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO imports (tenant_id, id, file_name, state, rows, widest, actor_kind, actor_id, actor_name) VALUES ($1, $2, $3, $4, 0, 0, $5, $6, $7)`,
		tx.Tenant, id, plainName(fileName), Unmapped, actor.Kind, actor.ID, actor.Name); err != nil {
		return Import{}, fmt.Errorf("write import: %w", err)
	}
	widest, sample, err := storeAll(ctx, tx, id, rows)
	if err != nil {
		return Import{}, err
	}

	country, err := countryOf(ctx, tx)
	if err != nil {
		return Import{}, err
	}
	guess := Guess(sample, country)
	guess.Columns = append(guess.Columns, make([]string, widest-len(guess.Columns))...)
	guess.Names = append(guess.Names, make([]string, widest-len(guess.Names))...)
	guess.nameUnnamed()
	if rows.Count < 1 || guess.Headed && rows.Count < 2 {
		return Import{}, bad("no_rows")
	}
	mapping, err := json.Marshal(guess)
	if err != nil {
		return Import{}, fmt.Errorf("encode mapping: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE imports SET rows = $3, widest = $4, mapping = $5 WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, id, rows.Count, widest, string(mapping)); err != nil {
		return Import{}, fmt.Errorf("write import: %w", err)
	}
	if err := audit(ctx, tx, actor, "import.upload", id, map[string]any{"rows": rows.Count}); err != nil {
		return Import{}, err
	}

	return Get(ctx, tx, id)
}

// plainName is a file's name without a folder or anything that does not belong on a page.
func plainName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return -1
	}, name)
	if name == "." || name == "/" || name == "" {
		name = "list.csv"
	}

	return clipped(name, 120)
}

func audit(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, action string, id uuid.UUID, detail map[string]any) error {
	return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: action, ObjectKind: "import", ObjectID: id.String(), Detail: detail})
}

func storeAll(ctx context.Context, tx *tenants.Tx, id uuid.UUID, rows *Reader) (widest int, sample [][]string, err error) {
	batch, size := make([]string, 0, storeRows), 0
	for {
		cells, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return widest, sample, storeBatch(ctx, tx, id, rows.Count, batch)
		}
		if err != nil {
			return 0, nil, err
		}
		widest = max(widest, len(cells))
		if len(sample) < sampleRows {
			sample = append(sample, slices.Clone(cells))
			sample[len(sample)-1][0] = strings.TrimPrefix(cells[0], unclosed)
		}
		encoded, err := json.Marshal(cells)
		if err != nil {
			return 0, nil, fmt.Errorf("encode row: %w", err)
		}
		batch, size = append(batch, string(encoded)), size+len(encoded)
		if len(batch) == storeRows || size > storeBytes {
			if err := storeBatch(ctx, tx, id, rows.Count, batch); err != nil {
				return 0, nil, err
			}
			batch, size = batch[:0], 0
		}
	}
}

// storeBatch writes rows, the last of which has the number last. Rows are counted from 1, as spreadsheets do.
func storeBatch(ctx context.Context, tx *tenants.Tx, id uuid.UUID, last int, batch []string) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO import_rows (tenant_id, import_id, row, cells)
		SELECT $1, $2, $3 + w.place, w.cells FROM unnest($4::text[]) WITH ORDINALITY AS w (cells, place)`,
		tx.Tenant, id, last-len(batch), pq.Array(batch)); err != nil {
		return fmt.Errorf("store rows: %w", err)
	}

	return nil
}

// countryOf is the country of the business's first number, India before it has one.
func countryOf(ctx context.Context, tx *tenants.Tx) (string, error) {
	var phone string
	err := tx.GetContext(ctx, &phone, `SELECT display_phone FROM numbers WHERE tenant_id = $1 ORDER BY state = 'disconnected', id LIMIT 1`, tx.Tenant)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read country: %w", err)
	}
	if country := whatsapp.CountryOf(phone); phone != "" && country != "" {
		return country, nil
	}

	return "IN", nil
}

// Get returns an import. ErrNotFound where the tenant has none such.
func Get(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Import, error) {
	var i Import
	err := tx.GetContext(ctx, &i, `SELECT `+importColumns+` FROM imports WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Import{}, tenants.ErrNotFound
	}
	if err != nil {
		return Import{}, fmt.Errorf("read import: %w", err)
	}
	if err := json.Unmarshal(i.RawMap, &i.Mapping); err != nil {
		return Import{}, fmt.Errorf("read mapping: %w", err)
	}

	return i, nil
}

// List returns a page of imports, the newest first, and the cursor of the next page ("" at the end).
func List(ctx context.Context, tx *tenants.Tx, page identity.Page) ([]Import, string, error) {
	at, id, err := page.Before()
	if err != nil {
		return nil, "", err
	}
	var list []Import
	if err := tx.SelectContext(ctx, &list, `
		SELECT `+importColumns+` FROM imports WHERE tenant_id = $1 AND (created_at, id) < ($2, $3)
		ORDER BY created_at DESC, id DESC LIMIT $4`, tx.Tenant, at, id, page.Size()+1); err != nil {
		return nil, "", fmt.Errorf("list imports: %w", err)
	}
	next := ""
	if len(list) > page.Size() {
		list = list[:page.Size()]
		last := list[len(list)-1]
		next = identity.CursorAt(last.CreatedAt, last.ID)
	}
	for i := range list {
		if err := json.Unmarshal(list[i].RawMap, &list[i].Mapping); err != nil {
			return nil, "", fmt.Errorf("read mapping: %w", err)
		}
	}

	return list, next, nil
}

// storedRow is a row of a list as it is kept.
type storedRow struct {
	Row   int    `db:"row"`
	Cells string `db:"cells"`
}

func (r storedRow) cells() ([]string, error) {
	var cells []string
	if err := json.Unmarshal([]byte(r.Cells), &cells); err != nil {
		return nil, fmt.Errorf("read cells: %w", err)
	}
	if len(cells) > 0 {
		cells[0] = strings.TrimPrefix(cells[0], unclosed)
	}

	return cells, nil
}

// open tells that a quotation mark of the row is not closed.
func (r storedRow) open() bool { return strings.HasPrefix(r.Cells, `["`+unclosed) }

// Sample returns the first rows of a list, a heading and five more.
func Sample(ctx context.Context, tx *tenants.Tx, id uuid.UUID) ([][]string, error) {
	rows, err := rowsAfter(ctx, tx, id, 0, sampleRows)
	if err != nil {
		return nil, err
	}
	sample := make([][]string, len(rows))
	for i, r := range rows {
		if sample[i], err = r.cells(); err != nil {
			return nil, err
		}
	}

	return sample, nil
}

func rowsAfter(ctx context.Context, tx *tenants.Tx, id uuid.UUID, after, limit int) ([]storedRow, error) {
	var rows []storedRow
	if err := tx.SelectContext(ctx, &rows, `
		SELECT row, cells FROM (
			SELECT row, cells, sum(length(cells)) OVER (ORDER BY row) - length(cells) AS before
			FROM (SELECT row, cells FROM import_rows WHERE tenant_id = $1 AND import_id = $2 AND row > $3 ORDER BY row LIMIT $4) next
		) counted WHERE before <= $5 ORDER BY row`, tx.Tenant, id, after, limit, storeBytes); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}

	return rows, nil
}

// Scope is a portfolio, or a WABA whose portfolio is not known, that the handles of a list can belong to.
type Scope struct {
	ID   string `db:"scope"`
	Name string `db:"name"` // of the portfolio or a number in it
}

// Scopes are those of the tenant's numbers, that of the first number first.
func Scopes(ctx context.Context, tx *tenants.Tx) ([]Scope, error) {
	var list []Scope
	err := tx.SelectContext(ctx, &list, `
		SELECT n.scope, coalesce(nullif(max(p.name), ''), nullif(max(n.name), ''), '+' || min(n.display_phone)) AS name
		FROM numbers n LEFT JOIN portfolios p ON p.tenant_id = $1 AND 'portfolio:' || p.portfolio_id = n.scope
		WHERE n.tenant_id = $1 GROUP BY n.scope ORDER BY bool_and(n.state = 'disconnected'), min(n.created_at), n.scope`, tx.Tenant)
	if err != nil {
		return nil, fmt.Errorf("list portfolios: %w", err)
	}

	return list, nil
}

// scopeNow is where new handles of the list belong at this moment: a WABA may have found its portfolio since the list was mapped.
func (i Import) scopeNow(ctx context.Context, tx *tenants.Tx) (string, error) {
	list, err := Scopes(ctx, tx)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return identity.Unplaced, nil
	}
	if slices.ContainsFunc(list, func(s Scope) bool { return s.ID == i.Scope }) {
		return i.Scope, nil
	}

	return list[0].ID, nil
}
