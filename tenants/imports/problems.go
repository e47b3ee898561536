package imports

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// dealtWith chooses the rows that the list has come to. Where it was stopped, those after were only tried.
const dealtWith = `row <= (SELECT CASE i.state WHEN 'stopped' THEN i.at_row ELSE i.rows END FROM imports i WHERE i.tenant_id = $1 AND i.id = $2)`

// Problem is a row that was, or would be, left out, or that stayed when its list was taken back, and why.
type Problem struct {
	Row      int        `db:"row"`
	Outcome  string     `db:"outcome"`
	Why      string     `db:"reason"`
	OtherRow *int       `db:"other_row"`
	Contact  *uuid.UUID `db:"contact_id"`
	Raw      string     `db:"cells"`
	Cells    []string   `db:"-"`
}

// Problems returns those after the given row, in the order of the list and not more than limit.
func Problems(ctx context.Context, tx *tenants.Tx, id uuid.UUID, after, limit int) ([]Problem, error) {
	var list []Problem
	if err := tx.SelectContext(ctx, &list, `
		SELECT row, outcome, reason, other_row, contact_id, cells FROM import_rows
		WHERE tenant_id = $1 AND import_id = $2 AND reason <> '' AND row > $3 AND `+dealtWith+` ORDER BY row LIMIT $4`, tx.Tenant, id, after, limit); err != nil {
		return nil, fmt.Errorf("read problems: %w", err)
	}
	for n := range list {
		var err error
		if list[n].Cells, err = (storedRow{Cells: list[n].Raw}).cells(); err != nil {
			return nil, err
		}
	}

	return list, nil
}

// ProblemCount is how many rows have one reason.
type ProblemCount struct {
	Outcome string `db:"outcome"`
	Why     string `db:"reason"`
	Rows    int    `db:"rows"`
}

// CountProblems counts the problems of a list by reason, the most frequent first.
func CountProblems(ctx context.Context, tx *tenants.Tx, id uuid.UUID) ([]ProblemCount, error) {
	var list []ProblemCount
	if err := tx.SelectContext(ctx, &list, `
		SELECT outcome, reason, count(*) AS rows FROM import_rows
		WHERE tenant_id = $1 AND import_id = $2 AND reason <> '' AND `+dealtWith+` GROUP BY outcome, reason ORDER BY count(*) DESC, reason`, tx.Tenant, id); err != nil {
		return nil, fmt.Errorf("count problems: %w", err)
	}

	return list, nil
}
