package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Permissions are what a role may do, as policy.csv says, in the order it says it for an owner; what an owner may not comes last.
func Permissions(role string) []string {
	var list []string
	for _, p := range AllPermissions() {
		if Can(role, p) {
			list = append(list, p)
		}
	}

	return list
}

// AllPermissions are those that some role in a business has.
func AllPermissions() []string {
	var list []string
	for line := range strings.Lines(policyText) {
		part := strings.Split(strings.TrimSpace(line), ",")
		if len(part) != 4 || !IsRole(strings.TrimSpace(part[1])) {
			continue
		}
		if p := strings.TrimSpace(part[2]) + ":" + strings.TrimSpace(part[3]); !slices.Contains(list, p) {
			list = append(list, p)
		}
	}

	return list
}

// ColleagueBy is one person of tx's team; ErrNotFound where they are not of it.
func ColleagueBy(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (Colleague, error) {
	var found []Colleague
	if err := tx.SelectContext(ctx, &found, `
		SELECT p.id, p.email, p.name, m.role, m.created_at AS since
		FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.tenant_id = $1 AND m.person_id = $2`, tx.Tenant, person); err != nil {
		return Colleague{}, fmt.Errorf("read colleague: %w", err)
	}
	if len(found) == 0 {
		return Colleague{}, tenants.ErrNotFound
	}

	return found[0], nil
}

// HasFactor tells whether somebody's sign-in asks for a second factor, in a System transaction.
func HasFactor(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (bool, error) {
	return hasFactor(ctx, tx, person)
}
