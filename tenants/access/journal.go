package access

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// JournalQuery picks entries of the audit. The zero value is the newest.
type JournalQuery struct {
	Before   int64    // only entries older than this number; 0 for all
	Subjects []string // only acts on these: "member" for "member.add" and the like; none for all
	Limit    int      // 1 to 200
}

// JournalEntry is one line of the audit as a reader may see it.
type JournalEntry struct {
	tenants.AuditEntry
	ObjectName string `db:"object_name"` // of a person still in the team
}

// JournalScope is how much of the tenant's audit m may read: all, team (their own acts and the agents'), own, or "" for nothing.
func JournalScope(m Member) string {
	switch {
	case m.Can("audit:read_all"):
		return "all"
	case m.Can("audit:read_team"):
		return "team"
	case m.Can("audit:read"):
		return "own"
	}

	return ""
}

// Journal lists the entries of the tenant's audit that m may read, newest first.
func Journal(ctx context.Context, tx *tenants.Tx, m Member, q JournalQuery) ([]JournalEntry, error) {
	scope := JournalScope(m)
	if scope == "" {
		return nil, fmt.Errorf("read audit: %w", tenants.ErrForbidden)
	}

	var entries []JournalEntry
	err := tx.SelectContext(ctx, &entries, `
		SELECT a.seq, a.at, a.actor_kind, a.actor_id, a.actor_name, a.action, a.object_kind, a.object_id, a.detail, a.prev_hash, a.hash,
		       coalesce(p.name, '') AS object_name
		FROM audit_entries a
		LEFT JOIN people p ON a.object_kind = 'person' AND p.id::text = a.object_id
		WHERE a.tenant_id = $1 AND ($2::bigint = 0 OR a.seq < $2)
		  AND (cardinality($3::text[]) = 0 OR split_part(a.action, '.', 1) = ANY($3))
		  AND ($4 = 'all' OR a.actor_id = $5 OR $4 = 'team' AND a.actor_id IN (
		        SELECT person_id::text FROM memberships WHERE tenant_id = $1 AND role = 'agent'))
		ORDER BY a.seq DESC LIMIT $6`,
		tx.Tenant, q.Before, pq.StringArray(append([]string{}, q.Subjects...)), scope, m.Actor.ID, min(max(q.Limit, 1), 200))
	if err != nil {
		return nil, fmt.Errorf("list audit: %w", err)
	}

	return entries, nil
}

// LastSeen is when each person was last active in tenant, in a System transaction. Who has not been lately is missing.
func LastSeen(ctx context.Context, tx *tenants.Tx, tenant uuid.UUID, people []uuid.UUID) (map[uuid.UUID]time.Time, error) {
	var rows []struct {
		Person uuid.UUID `db:"person_id"`
		At     time.Time `db:"at"`
	}
	err := tx.SelectContext(ctx, &rows, `SELECT person_id, max(seen_at) AS at FROM sessions WHERE tenant_id = $1 AND person_id = ANY($2) GROUP BY person_id`, tenant, pq.Array(people))
	if err != nil {
		return nil, fmt.Errorf("read last activity: %w", err)
	}

	seen := make(map[uuid.UUID]time.Time, len(rows))
	for _, r := range rows {
		seen[r.Person] = r.At
	}

	return seen, nil
}
