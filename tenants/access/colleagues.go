package access

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Colleague is one person of a tenant's team.
type Colleague struct {
	ID    uuid.UUID `db:"id"`
	Email string    `db:"email"`
	Name  string    `db:"name"`
	Role  string    `db:"role"`
	Since time.Time `db:"since"`
}

// mostPeople is how many a team has at most; see most_people of tenants.
const mostPeople = 5000

const selectColleague = `
	SELECT p.id, p.email, p.name, m.role, m.created_at AS since
	FROM memberships m JOIN people p ON p.id = m.person_id
	WHERE m.tenant_id = $1`

// Team lists all people of tx's tenant by name. It is for what goes over everybody: a page shows a part, by TeamPage or Able.
func Team(ctx context.Context, tx *tenants.Tx) ([]Colleague, error) {
	var team []Colleague
	if err := tx.SelectContext(ctx, &team, selectColleague+` ORDER BY lower(p.name), p.id LIMIT $2`, tx.Tenant, mostPeople); err != nil {
		return nil, fmt.Errorf("list team: %w", err)
	}

	return team, nil
}

// Names are what all people of tx's tenant are called, by id.
func Names(ctx context.Context, tx *tenants.Tx) (map[string]string, error) {
	var rows []struct {
		ID   string `db:"id"`
		Name string `db:"name"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT p.id, p.name FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.tenant_id = $1 LIMIT $2`, tx.Tenant, mostPeople); err != nil {
		return nil, fmt.Errorf("read names of team: %w", err)
	}
	names := make(map[string]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}

	return names, nil
}

// Sizes is how many of tx's team have each role.
func Sizes(ctx context.Context, tx *tenants.Tx) (map[string]int, error) {
	var rows []struct {
		Role string `db:"role"`
		N    int    `db:"n"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT role, count(*) AS n FROM memberships WHERE tenant_id = $1 GROUP BY role`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("count team: %w", err)
	}
	n := map[string]int{}
	for _, r := range rows {
		n[r.Role] = r.N
	}

	return n, nil
}

// TeamQuery narrows a list of the team: to those whose name or e-mail holds Search, to those with Role, and to those after Cursor.
type TeamQuery struct {
	Search string
	Role   string
	Cursor string
	Limit  int
}

// TeamPage lists a part of tx's team by name, and returns the cursor of the next part, "" after the last. A cursor that is none of ours is
// tenants.ErrNotFound.
func TeamPage(ctx context.Context, tx *tenants.Tx, q TeamQuery) (list []Colleague, next string, err error) {
	name, id := "", uuid.NullUUID{}
	if q.Cursor != "" {
		if name, id.UUID, err = afterWhom(q.Cursor); err != nil {
			return nil, "", err
		}
		id.Valid = true
	}
	if err := tx.SelectContext(ctx, &list, selectColleague+`
		AND ($2 = '' OR m.role = $2)
		AND ($3 = '' OR position(lower($3) IN lower(p.name)) > 0 OR position(lower($3) IN lower(p.email)) > 0)
		AND ($5::uuid IS NULL OR (lower(p.name), p.id) > (lower($4), $5::uuid))
		ORDER BY lower(p.name), p.id LIMIT $6`, tx.Tenant, q.Role, strings.TrimSpace(q.Search), name, id, q.Limit+1); err != nil {
		return nil, "", fmt.Errorf("list team: %w", err)
	}
	if len(list) > q.Limit {
		list = list[:q.Limit]
		last := list[q.Limit-1]
		next = base64.RawURLEncoding.EncodeToString(append(last.ID[:], last.Name...))
	}

	return list, next, nil
}

func afterWhom(cursor string) (string, uuid.UUID, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) <= len(uuid.Nil) || strings.ToValidUTF8(string(raw[16:]), "") != string(raw[16:]) || strings.ContainsRune(string(raw[16:]), 0) {
		return "", uuid.Nil, tenants.ErrNotFound
	}

	return string(raw[16:]), uuid.UUID(raw[:16]), nil
}

// Able lists the people of tx's team whose role has a permission, by name and at most most, and tells how many there are in all.
func Able(ctx context.Context, tx *tenants.Tx, permission string, most int) (list []Colleague, all int, err error) {
	var roles []string
	for _, role := range Roles() {
		if Can(role, permission) {
			roles = append(roles, role)
		}
	}
	if err := tx.SelectContext(ctx, &list, selectColleague+` AND m.role = ANY($2) ORDER BY lower(p.name), p.id LIMIT $3`, tx.Tenant, pq.Array(roles), most); err != nil {
		return nil, 0, fmt.Errorf("list who may %s: %w", permission, err)
	}
	if all = len(list); all < most {
		return list, all, nil
	}
	if err := tx.GetContext(ctx, &all, `SELECT count(*) FROM memberships WHERE tenant_id = $1 AND role = ANY($2)`, tx.Tenant, pq.Array(roles)); err != nil {
		return nil, 0, fmt.Errorf("count who may %s: %w", permission, err)
	}

	return list, all, nil
}

// Called is who of tx's team has an e-mail, or alone a name, as somebody typed it. Nobody is Invalid "colleague_none" of field, and several
// of one name are "colleague_many".
func Called(ctx context.Context, tx *tenants.Tx, field, typed string) (Colleague, error) {
	typed = strings.Join(strings.Fields(typed), " ")
	var found []Colleague
	if err := tx.SelectContext(ctx, &found, selectColleague+` AND (p.email_key = $2 OR lower(p.name) = lower($3)) ORDER BY p.email_key = $2 DESC, p.id LIMIT 2`,
		tx.Tenant, emailKey(typed), typed); err != nil {
		return Colleague{}, fmt.Errorf("look for a colleague: %w", err)
	}
	switch {
	case len(found) == 0:
		return Colleague{}, &tenants.Invalid{Field: field, Key: "colleague_none"}
	case len(found) > 1 && !SameMailbox(found[0].Email, typed):
		return Colleague{}, &tenants.Invalid{Field: field, Key: "colleague_many"}
	}

	return found[0], nil
}
