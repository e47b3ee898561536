package ingest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/lib/pq"
)

// transient tells whether the same work may well succeed later: the database was away, busy or asked us to stop. What is
// transient is tried again for ever and never set aside.
func transient(err error) bool {
	var (
		pqErr  *pq.Error
		netErr net.Error
	)
	switch {
	case errors.As(err, &pqErr):
		switch pqErr.Code.Class() {
		case "08", "25", "40", "53", "55", "57", "58": // connection, state, rollback, resources, in use, operator, system
			return true
		}

		return false
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &netErr):
		return true
	}

	return false
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
