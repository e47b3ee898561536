package tenants

import (
	"errors"
	"fmt"

	"github.com/lib/pq"
)

// The kinds of refusal the product knows. server/web/errors.go alone turns them into statuses.
var (
	// ErrNotFound: no such row, or not this tenant's.
	ErrNotFound = errors.New("not found")
	// ErrForbidden: the person's role does not allow it.
	ErrForbidden = errors.New("forbidden")
	// ErrUnavailable: try again later; nothing was changed.
	ErrUnavailable = errors.New("unavailable")
)

// Conflict is a refusal because the state has moved or does not allow the act. Code is stable and an i18n key suffix.
type Conflict struct {
	Code string
}

func (c *Conflict) Error() string { return "conflict: " + c.Code }

// Invalid is a refusal of one input. Key is an i18n key under "invalid.", not a sentence.
type Invalid struct {
	Field string
	Key   string
}

func (i *Invalid) Error() string { return fmt.Sprintf("invalid %s: %s", i.Field, i.Key) }

// ConflictCode is the code of the Conflict in err, or "".
func ConflictCode(err error) string {
	var c *Conflict
	if errors.As(err, &c) {
		return c.Code
	}

	return ""
}

// Violates tells whether err is a violation of the named constraint.
func Violates(err error, constraint string) bool {
	var pqErr *pq.Error

	return errors.As(err, &pqErr) && pqErr.Constraint == constraint
}
