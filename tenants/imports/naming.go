package imports

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
)

// mayName tells of rows r which may name somebody in any cell, in whatever way a phone is written: $2 is all they are known by. It says
// yes too often, never too seldom.
const mayName = `EXISTS (SELECT 1 FROM unnest($2::text[]) w
	WHERE position(w IN r.cells) > 0
	   OR w ~ '^[0-9]{8,}$' AND position(right(w, 8) IN regexp_replace(translate(r.cells, '०१२३४५६७८९', '0123456789'), '[^0-9]', '', 'g')) > 0)`

// Untaken is a row of a list that nobody has taken in: what is in which of its columns is not known.
type Untaken struct {
	At       time.Time // of the upload
	FileName string
	Cells    []string
}

// Line is the row as one line to read.
func (u Untaken) Line() string {
	var said []string
	for _, cell := range u.Cells {
		if cell = strings.TrimSpace(Restore(cell)); cell != "" {
			said = append(said, cell)
		}
	}

	return strings.Join(said, ", ")
}

// unjudged are the lists with rows that no trial has read.
const unjudged = `i.state IN ('mapping', 'checking', 'failed', 'stopped') AND r.outcome = ''`

// UntakenOf are the rows of lists that nobody has taken in, and that name somebody who is known by these phones and BSUIDs.
func UntakenOf(ctx context.Context, tx *tenants.Tx, values []string) ([]Untaken, error) {
	country, err := countryOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		storedRow

		At   time.Time `db:"created_at"`
		Name string    `db:"file_name"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT r.row, r.cells, i.created_at, i.file_name FROM imports i JOIN import_rows r ON r.tenant_id = $1 AND r.import_id = i.id
		WHERE i.tenant_id = $1 AND `+unjudged+` AND `+mayName+` ORDER BY i.created_at, i.id, r.row`, tx.Tenant, pq.Array(values)); err != nil {
		return nil, fmt.Errorf("look through lists that were not taken in: %w", err)
	}
	var found []Untaken
	for _, r := range rows {
		cells, err := r.cells()
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(cells, func(cell string) bool { return names(cell, values, country) }) {
			found = append(found, Untaken{At: r.At, FileName: r.Name, Cells: cells})
		}
	}

	return found, nil
}

// names tells whether a cell is one of these phones and BSUIDs, or speaks of one.
func names(cell string, values []string, country string) bool {
	return isOneOf(cell, values, country) || erased.Mask(cell, values) != cell
}

func isOneOf(cell string, values []string, country string) bool {
	phone, _ := phoneIn(clean(Restore(cell)), country)

	return phone != "" && slices.Contains(values, phone)
}

// ForgetNamed takes somebody who is known by these phones and BSUIDs out of all lists, the next rows of them: a row that nobody has taken in
// goes as a whole, as it is theirs; in others, which are about somebody else, dots stand where they were named. after is where it went on
// the last time, "" at first; last is where it goes on, "" at the end.
func ForgetNamed(ctx context.Context, tx *tenants.Tx, values []string, after string, limit int) (last string, err error) {
	from, place := uuid.Nil, 0
	if id, row, ok := strings.Cut(after, " "); ok {
		if from, err = uuid.Parse(id); err == nil {
			place, err = strconv.Atoi(row)
		}
		if err != nil {
			return "", fmt.Errorf("read place among lists: %w", err)
		}
	}
	var page []struct {
		Import uuid.UUID `db:"import_id"`
		Row    int       `db:"row"`
	}
	if err := tx.SelectContext(ctx, &page, `
		SELECT import_id, row FROM import_rows WHERE tenant_id = $1 AND (import_id, row) > ($2, $3) ORDER BY import_id, row LIMIT $4`,
		tx.Tenant, from, place, limit); err != nil {
		return "", fmt.Errorf("read rows of lists: %w", err)
	}
	if len(page) == 0 {
		return "", nil
	}
	end := page[len(page)-1]
	country, err := countryOf(ctx, tx)
	if err != nil {
		return "", err
	}
	var rows []struct {
		storedRow

		Import  uuid.UUID `db:"import_id"`
		Untaken bool      `db:"untaken"`
		Mapping []byte    `db:"mapping"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT r.import_id, r.row, r.cells, i.mapping, `+unjudged+` AS untaken FROM import_rows r JOIN imports i ON i.tenant_id = $1 AND i.id = r.import_id
		WHERE r.tenant_id = $1 AND (r.import_id, r.row) > ($3, $4) AND (r.import_id, r.row) <= ($5, $6) AND r.cells <> '[]' AND `+mayName+`
		ORDER BY r.import_id, r.row FOR UPDATE OF r`, tx.Tenant, pq.Array(values), from, place, end.Import, end.Row); err != nil {
		return "", fmt.Errorf("read rows of lists that name a person: %w", err)
	}
	for _, r := range rows {
		cells, err := r.cells()
		if err != nil {
			return "", err
		}
		var m Mapping
		if err := json.Unmarshal(r.Mapping, &m); err != nil {
			return "", fmt.Errorf("read mapping: %w", err)
		}
		if m.Country == "" {
			m.Country = country
		}
		named := false
		for n, cell := range cells {
			if names(cell, values, m.Country) {
				named = true
				cells[n] = erased.Mask(cell, values)
				if isOneOf(cell, values, m.Country) {
					cells[n] = erased.Dots
				}
			}
		}
		if !named {
			continue
		}
		if r.Untaken {
			cells = []string{}
		}
		raw, err := json.Marshal(cells)
		if err != nil {
			return "", fmt.Errorf("encode cells: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE import_rows SET cells = $4 WHERE tenant_id = $1 AND import_id = $2 AND row = $3`, tx.Tenant, r.Import, r.Row, string(raw)); err != nil {
			return "", fmt.Errorf("take a person out of a list: %w", err)
		}
	}

	return end.Import.String() + " " + strconv.Itoa(end.Row), nil
}
