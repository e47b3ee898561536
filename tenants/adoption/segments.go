package adoption

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Segment is a group of customers kept under a name, as the list that finds them: it holds whoever is in it when it is opened.
type Segment struct {
	ID     uuid.UUID `db:"id"`
	Name   string    `db:"name"`
	Filter string    `db:"filter"` // path and query of the list
	MadeAt time.Time `db:"made_at"`
	MadeBy string    `db:"made_by"`
}

// lists are the pages that a segment can open, with what may narrow them.
var lists = map[string][]string{
	"/adoption/people": {"at", "country", "days", "show"},
	"/contacts":        {"reach"},
}

// SegmentFilter is the list that an address opens, in one spelling. ok is false where it is no list that can be kept.
func SegmentFilter(address string) (filter string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host != "" || u.Scheme != "" || len(address) > 400 {
		return "", false
	}
	narrowing, known := lists[u.Path]
	if !known {
		return "", false
	}
	q := url.Values{}
	for name, values := range u.Query() {
		if len(values) == 1 && values[0] != "" && slices.Contains(narrowing, name) {
			q.Set(name, values[0])
		}
	}
	if len(q) == 0 {
		return u.Path, true
	}

	return u.Path + "?" + q.Encode(), true
}

// Segments lists what the tenant keeps, by name.
func Segments(ctx context.Context, tx *tenants.Tx) ([]Segment, error) {
	var list []Segment
	if err := tx.SelectContext(ctx, &list, `
		SELECT id, name, filter, made_at, made_by FROM segments WHERE tenant_id = $1 ORDER BY lower(name), id LIMIT $2`, tx.Tenant, tenants.QuotaSegments.Most()); err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}

	return list, nil
}

// OneSegment reads a segment. ErrNotFound where the tenant has no such one.
func OneSegment(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Segment, error) {
	var list []Segment
	if err := tx.SelectContext(ctx, &list, `SELECT id, name, filter, made_at, made_by FROM segments WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
		return Segment{}, fmt.Errorf("read segment: %w", err)
	}
	if len(list) == 0 {
		return Segment{}, tenants.ErrNotFound
	}

	return list[0], nil
}

// SaveSegment keeps the list at an address under a name that no other has. Past the quota it is Conflict "too_many_segments".
func SaveSegment(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, name, address string) (Segment, error) {
	s := Segment{Name: strings.TrimSpace(name), MadeBy: actor.Name}
	if n := len([]rune(s.Name)); n == 0 || n > 80 || strings.ContainsFunc(s.Name, unicode.IsControl) {
		return Segment{}, &tenants.Invalid{Field: "name", Key: "segment_name"}
	}
	var ok bool
	if s.Filter, ok = SegmentFilter(address); !ok {
		return Segment{}, &tenants.Invalid{Field: "filter", Key: "choice"}
	}
	if err := tenants.Within(ctx, tx, tenants.QuotaSegments); err != nil {
		return Segment{}, err
	}
	var err error
	if s.ID, err = uuid.NewV7(); err != nil {
		return Segment{}, fmt.Errorf("make segment id: %w", err)
	}
	err = tx.GetContext(ctx, &s.MadeAt, `
		INSERT INTO segments (tenant_id, id, name, filter, made_by) VALUES ($1, $2, $3, $4, $5) RETURNING made_at`,
		tx.Tenant, s.ID, s.Name, s.Filter, s.MadeBy)
	var problem *pq.Error
	if errors.As(err, &problem) && problem.Constraint == "segments_name" {
		return Segment{}, &tenants.Invalid{Field: "name", Key: "segment_taken"}
	}
	if err != nil {
		return Segment{}, fmt.Errorf("save segment: %w", err)
	}

	return s, tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "segment.save", ObjectKind: "segment", ObjectID: s.ID.String(), Detail: map[string]any{"name": s.Name},
	})
}

// RemoveSegment forgets a segment; its customers stay as they are.
func RemoveSegment(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	s, err := OneSegment(ctx, tx, id)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM segments WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
		return fmt.Errorf("remove segment: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "segment.remove", ObjectKind: "segment", ObjectID: id.String(), Detail: map[string]any{"name": s.Name},
	})
}
