package ingest

import (
	"context"
	"database/sql"
	"errors"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// transient tells whether the same work may well succeed later: the database was away, busy or asked us to stop. What is
// transient is tried again for ever and never set aside.
func transient(err error) bool {
	return tenants.Away(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sql.ErrTxDone)
}

// deadlocked tells whether the database ended a transaction to free another one.
func deadlocked(err error) bool {
	var pqErr *pq.Error

	return errors.As(err, &pqErr) && pqErr.Code == "40P01"
}

// class names an error without quoting it, for messages of errors may hold a customer's data.
func class(err error) string {
	var pqErr *pq.Error
	if errors.As(err, &pqErr) {
		if pqErr.Constraint != "" {
			return "database " + string(pqErr.Code) + " " + pqErr.Constraint
		}

		return "database " + string(pqErr.Code)
	}
	var p *panicked
	if errors.As(err, &p) {
		return "panic"
	}

	return "internal"
}

// panicked is a panic turned into an error, so that one odd item stops nobody.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return "panic while processing" }
