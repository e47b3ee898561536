package identity

import (
	"context"

	"github.com/pehchan/pehchan/tenants"
)

// WidenInParts is WidenScope that puts so many identifiers together at a time.
func WidenInParts(ctx context.Context, tx *tenants.Tx, from, to string, atOnce int) error {
	return widenScope(ctx, tx, from, to, atOnce)
}
