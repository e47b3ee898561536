package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What is owed after an incident.
const (
	ToCert   = "cert"   // a cyber incident: CERT-In, within six hours (directions of 2022)
	ToPeople = "people" // those whom it concerns, without delay (DPDP rule 7)
	ToBoard  = "board"  // the Data Protection Board, in detail within 72 hours (DPDP rule 7; GDPR article 33 for the authority there)
	NoCert   = "no_cert"
)

// incidentHours are the hours within which each is owed since the business knows; without delay where there are none.
var incidentHours = map[string]int{ToCert: 6, ToBoard: 72}

// Incident is that customers' data came to somebody who should not have it.
type Incident struct {
	ID           uuid.UUID  `db:"id"`
	What         string     `db:"what"`
	KnownAt      time.Time  `db:"known_at"`
	From         time.Time  `db:"from_at"`
	To           time.Time  `db:"to_at"`
	Viewer       string     `db:"viewer"` // by whom it was seen, as the log of looks writes them; empty for anybody
	ViewerName   string     `db:"viewer_name"`
	Consequences string     `db:"consequences"`
	Measures     string     `db:"measures"`
	Advice       string     `db:"advice"`   // what the people can do
	Findings     string     `db:"findings"` // on who caused it
	Contact      string     `db:"contact"`  // whom people can ask
	OpenedAt     time.Time  `db:"opened_at"`
	OpenedBy     string     `db:"opened_by"`
	CertAt       *time.Time `db:"cert_at"`
	NoCert       bool       `db:"no_cert"` // it was no cyber incident
	PeopleAt     *time.Time `db:"people_at"`
	BoardAt      *time.Time `db:"board_at"`
	ClosedAt     *time.Time `db:"closed_at"`
	ClosedBy     string     `db:"closed_by"`
	Done         string     `db:"done"`
	Lesson       string     `db:"lesson"`
}

// Owed is one thing that is owed after an incident.
type Owed struct {
	To   string
	Due  time.Time  // zero: without delay
	At   *time.Time // nil while it is owed
	None bool       // it is not owed after all
}

// Over tells whether it is owed longer than it may.
func (o Owed) Over(now time.Time) bool { return o.At == nil && !o.Due.IsZero() && now.After(o.Due) }

// Owed are all of them, the most urgent first.
func (i Incident) Owed() []Owed {
	due := func(to string) time.Time { return i.KnownAt.Add(time.Duration(incidentHours[to]) * time.Hour) }

	return []Owed{
		{To: ToPeople, At: i.PeopleAt},
		{To: ToCert, Due: due(ToCert), At: i.CertAt, None: i.NoCert},
		{To: ToBoard, Due: due(ToBoard), At: i.BoardAt},
	}
}

// MostIncidentText is how many characters each text of an incident has at most.
const MostIncidentText = 2000

// incidentText checks what was written about an incident. Phones of customers are no part of it.
func incidentText(field, text string, required bool) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case required && utf8.RuneCountInString(text) < 3:
		return "", &tenants.Invalid{Field: field, Key: "required"}
	case utf8.RuneCountInString(text) > MostIncidentText || strings.ContainsRune(text, 0):
		return "", &tenants.Invalid{Field: field, Key: "too_long"}
	}

	return text, nil
}

// checked is an incident as it may be kept.
func (i Incident) checked(now time.Time) (Incident, error) {
	for _, f := range []struct {
		name string
		text *string
		must bool
	}{
		{"what", &i.What, true},
		{"consequences", &i.Consequences, false},
		{"measures", &i.Measures, false},
		{"advice", &i.Advice, false},
		{"findings", &i.Findings, false},
		{"contact", &i.Contact, false},
	} {
		var err error
		if *f.text, err = incidentText(f.name, *f.text, f.must); err != nil {
			return i, err
		}
		if f.name != "contact" { // the business's own
			*f.text = whatsapp.MaskPhones(*f.text)
		}
	}
	switch {
	case i.KnownAt.IsZero() || i.KnownAt.After(now):
		return i, &tenants.Invalid{Field: "known", Key: "incident_past"}
	case i.From.IsZero() || i.From.After(now):
		return i, &tenants.Invalid{Field: "from", Key: "incident_past"}
	case i.To.IsZero() || i.To.After(now):
		return i, &tenants.Invalid{Field: "to", Key: "incident_past"}
	case i.To.Before(i.From):
		return i, &tenants.Invalid{Field: "to", Key: "incident_order"}
	}

	return i, nil
}

// OpenIncident writes an incident down and returns its id. Of in, what is written and the times count. Its clocks run since KnownAt.
func OpenIncident(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in Incident, now time.Time) (uuid.UUID, error) {
	in, err := in.checked(now)
	if err != nil {
		return uuid.Nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make incident id: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO incidents (tenant_id, id, what, known_at, from_at, to_at, opened_by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		tx.Tenant, id, in.What, in.KnownAt, in.From, in.To, actor.Name); err != nil {
		return uuid.Nil, fmt.Errorf("write incident: %w", err)
	}

	return id, auditIncident(ctx, tx, actor, "privacy.incident_open", id, map[string]any{"known": stamp(in.KnownAt)})
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func auditIncident(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, action string, id uuid.UUID, detail map[string]any) error {
	return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: action, ObjectKind: "incident", ObjectID: id.String(), Detail: detail})
}

const selectIncident = `
	SELECT id, what, known_at, from_at, to_at, viewer, viewer_name, consequences, measures, advice, findings, contact, opened_at, opened_by,
	       cert_at, no_cert, people_at, board_at, closed_at, closed_by, done, lesson
	FROM incidents WHERE tenant_id = $1`

// Incidents are those of tx's tenant, the open ones first, then the newest; at most 100.
func Incidents(ctx context.Context, tx *tenants.Tx) ([]Incident, error) {
	list := []Incident{}
	if err := tx.SelectContext(ctx, &list, selectIncident+` ORDER BY closed_at IS NOT NULL, known_at DESC, id LIMIT 100`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}

	return list, nil
}

// RunningIncidents are those of tx's tenant of which something is still owed, the ones known longest first; at most 100.
func RunningIncidents(ctx context.Context, tx *tenants.Tx) ([]Incident, error) {
	list := []Incident{}
	if err := tx.SelectContext(ctx, &list, selectIncident+`
		AND closed_at IS NULL AND (cert_at IS NULL OR people_at IS NULL OR board_at IS NULL) ORDER BY known_at, id LIMIT 100`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list running incidents: %w", err)
	}

	return list, nil
}

// GetIncident reads one. tenants.ErrNotFound where the tenant has none such.
func GetIncident(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (i Incident, err error) {
	err = tx.GetContext(ctx, &i, selectIncident+` AND id = $2`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Incident{}, tenants.ErrNotFound
	}
	if err != nil {
		return Incident{}, fmt.Errorf("read incident %s: %w", id, err)
	}

	return i, nil
}

// openIncident reads one that is still open, for a change.
func openIncident(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Incident, error) {
	if _, err := tx.ExecContext(ctx, `SELECT 1 FROM incidents WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tx.Tenant, id); err != nil {
		return Incident{}, fmt.Errorf("lock incident %s: %w", id, err)
	}
	i, err := GetIncident(ctx, tx, id)
	if err == nil && i.ClosedAt != nil {
		err = &tenants.Conflict{Code: "incident_closed"}
	}

	return i, err
}

// ChangeIncident writes anew what is known of an incident: texts, times and by whom it was seen, who must be in the log of that time.
func ChangeIncident(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in Incident, now time.Time) error {
	was, err := openIncident(ctx, tx, in.ID)
	if err != nil {
		return err
	}
	if in, err = in.checked(now); err != nil {
		return err
	}
	if in.ViewerName = was.ViewerName; in.Viewer != was.Viewer {
		if in.ViewerName, err = viewerName(ctx, tx, in.Viewer); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE incidents SET what = $3, known_at = $4, from_at = $5, to_at = $6, viewer = $7, viewer_name = $8, consequences = $9, measures = $10,
			advice = $11, findings = $12, contact = $13
		WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, in.ID, in.What, in.KnownAt, in.From, in.To, in.Viewer, in.ViewerName, in.Consequences, in.Measures, in.Advice, in.Findings,
		in.Contact); err != nil {
		return fmt.Errorf("change incident %s: %w", in.ID, err)
	}

	return auditIncident(ctx, tx, actor, "privacy.incident_change", in.ID, map[string]any{
		"before": map[string]any{"known": stamp(was.KnownAt), "from": stamp(was.From), "to": stamp(was.To), "viewer": was.ViewerName},
		"after":  map[string]any{"known": stamp(in.KnownAt), "from": stamp(in.From), "to": stamp(in.To), "viewer": in.ViewerName},
	})
}

// markIncident says by what is owed how it is written down that it was given.
var markIncident = map[string]string{
	ToCert:   `UPDATE incidents SET cert_at = now() WHERE tenant_id = $1 AND id = $2 AND cert_at IS NULL`,
	NoCert:   `UPDATE incidents SET cert_at = now(), no_cert = true WHERE tenant_id = $1 AND id = $2 AND cert_at IS NULL`,
	ToPeople: `UPDATE incidents SET people_at = now() WHERE tenant_id = $1 AND id = $2 AND people_at IS NULL`,
	ToBoard:  `UPDATE incidents SET board_at = now() WHERE tenant_id = $1 AND id = $2 AND board_at IS NULL`,
}

// MarkIncident writes down that something owed was given: ToCert, ToPeople or ToBoard; or that CERT-In need not be told, NoCert. The first
// time counts.
func MarkIncident(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, what string) error {
	if _, err := openIncident(ctx, tx, id); err != nil {
		return err
	}
	mark, known := markIncident[what]
	if !known {
		return &tenants.Invalid{Field: "do", Key: "choice"}
	}
	done, err := tx.ExecContext(ctx, mark, tx.Tenant, id)
	if err != nil {
		return fmt.Errorf("mark incident %s: %w", id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err //nolint:wrapcheck // the driver cannot but know
	}

	return auditIncident(ctx, tx, actor, "privacy.incident_mark", id, map[string]any{"told": what})
}

// CloseIncident ends an incident with what was done and what was learnt.
func CloseIncident(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, done, lesson string) error {
	if _, err := openIncident(ctx, tx, id); err != nil {
		return err
	}
	done, err := incidentText("done", done, true)
	if err != nil {
		return err
	}
	if lesson, err = incidentText("lesson", lesson, true); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE incidents SET closed_at = now(), closed_by = $3, done = $4, lesson = $5 WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, id, actor.Name, whatsapp.MaskPhones(done), whatsapp.MaskPhones(lesson)); err != nil {
		return fmt.Errorf("close incident %s: %w", id, err)
	}

	return auditIncident(ctx, tx, actor, "privacy.incident_close", id, nil)
}
