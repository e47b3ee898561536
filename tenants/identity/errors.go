package identity

import (
	"database/sql"
	"errors"
)

func noRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
