package tenants

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/lib/pq"
)

// Away tells whether err means that the database could not be asked, or gave up, and the same may well work in a moment.
func Away(err error) bool {
	var (
		pqErr  *pq.Error
		netErr net.Error
	)
	if errors.As(err, &pqErr) {
		switch pqErr.Code.Class() {
		case "08", "40", "53", "55", "57", "58": // connection, rollback, resources, in use, operator, system
			return true
		}

		return false
	}

	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &netErr)
}
