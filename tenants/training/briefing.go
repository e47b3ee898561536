package training

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// BriefingLife is how long the link to a briefing is good.
	BriefingLife = 14 * 24 * time.Hour

	// MaxReader is how long the name may be that a reader of a briefing gives, in characters.
	MaxReader = 80

	briefingBytes = 32
	keptOpens     = 200 // of one briefing; more are only counted
	mostBriefings = 50  // listed; as many links can be good
)

// Audiences are whom a briefing may be for.
var Audiences = []string{"owner", "support", "marketing", "developer"}

// ErrBadBriefing says that a link to a briefing is not ours, taken back, or over.
var ErrBadBriefing = errors.New("briefing is not to be read any more")

// Snapshot are a business's figures at a moment.
type Snapshot struct {
	At         time.Time `json:"at"`
	Active     int64     `json:"active"` // customers heard from in the last 28 days
	WithID     int64     `json:"with_id"`
	Named      int64     `json:"named"`
	Hidden     int64     `json:"hidden"`
	Vanishing  int64     `json:"vanishing"` // phones that may stop coming in the next 30 days
	Unknown    int64     `json:"unknown"`   // of them, whose WhatsApp ID is not known
	Cases      int       `json:"cases"`     // people waiting for a decision
	Unanswered int       `json:"unanswered"`
	Ready      int       `json:"ready"`
	Team       int       `json:"team"`
	Countries  []string  `json:"countries"` // that matter to the business
	Counting   bool      `json:"counting"`  // who was heard from is still being counted
}

// Briefing is a page for a part of a team.
type Briefing struct {
	Tenant    uuid.UUID  `db:"tenant_id"`
	ID        uuid.UUID  `db:"id"`
	Business  string     `db:"business"`
	Timezone  string     `db:"timezone"` // of the business
	Audience  string     `db:"audience"`
	Lang      string     `db:"lang"`
	Raw       []byte     `db:"figures"`
	Opens     int        `db:"opens"`
	By        string     `db:"by_name"`
	CreatedAt time.Time  `db:"created_at"`
	ExpiresAt time.Time  `db:"expires_at"`
	RevokedAt *time.Time `db:"revoked_at"`
}

// Figures are the business's, as they were when the briefing was made.
func (b Briefing) Figures() (Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal(b.Raw, &s); err != nil {
		return Snapshot{}, fmt.Errorf("decode briefing: %w", err)
	}

	return s, nil
}

// Opening is one opening of a briefing. Reader is the name they gave, empty for none.
type Opening struct {
	Briefing uuid.UUID `db:"briefing_id"`
	Reader   string    `db:"reader"`
	At       time.Time `db:"at"`
}

const selectBriefing = `
	SELECT b.tenant_id, b.id, t.name AS business, t.timezone, b.audience, b.lang, b.figures, b.opens, b.by_name, b.created_at, b.expires_at, b.revoked_at
	FROM briefings b JOIN tenants t ON t.id = b.tenant_id`

// MakeBriefing keeps a page with a business's figures, and returns the token of its link, which is told once.
// Past the quota it is Conflict "too_many_briefings".
func MakeBriefing(ctx context.Context, tx *tenants.Tx, by tenants.Actor, audience, lang string, s Snapshot) (token string, err error) {
	if !slices.Contains(Audiences, audience) {
		return "", &tenants.Invalid{Field: "audience", Key: "choice"}
	}
	if lang != "en" && lang != "hi" {
		return "", &tenants.Invalid{Field: "lang", Key: "choice"}
	}
	person, err := uuid.Parse(by.ID)
	if err != nil {
		return "", fmt.Errorf("make a briefing as %s: %w", by.Kind, tenants.ErrForbidden)
	}
	if err := tenants.Within(ctx, tx, tenants.QuotaBriefings); err != nil {
		return "", err
	}
	figures, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("encode briefing: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make briefing id: %w", err)
	}
	raw := make([]byte, briefingBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	hash := sha256.Sum256(raw)
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO briefings (tenant_id, id, audience, lang, figures, hash, by_person, by_name, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9))`,
		tx.Tenant, id, audience, lang, string(figures), hash[:], person, by.Name, BriefingLife.Seconds()); err != nil {
		return "", fmt.Errorf("keep briefing: %w", err)
	}

	return base64.RawURLEncoding.EncodeToString(raw), tenants.Audit(ctx, tx, tenants.Act{
		Actor: by, Action: "briefing.share", ObjectKind: "briefing", ObjectID: id.String(), Detail: map[string]any{"audience": audience, "lang": lang},
	})
}

// Briefings lists those of tx's tenant whose links were given out, newest first, and how each was opened.
func Briefings(ctx context.Context, tx *tenants.Tx) ([]Briefing, map[uuid.UUID][]Opening, error) {
	list := []Briefing{}
	if err := tx.SelectContext(ctx, &list, selectBriefing+` WHERE b.tenant_id = $1 ORDER BY b.created_at DESC, b.id LIMIT $2`, tx.Tenant, mostBriefings); err != nil {
		return nil, nil, fmt.Errorf("list briefings: %w", err)
	}
	var opens []Opening
	if err := tx.SelectContext(ctx, &opens, `
		SELECT o.briefing_id, o.reader, o.at
		FROM (SELECT id FROM briefings WHERE tenant_id = $1 ORDER BY created_at DESC, id LIMIT $2) b
		JOIN briefing_opens o ON o.tenant_id = $1 AND o.briefing_id = b.id
		ORDER BY o.at DESC LIMIT $3`, tx.Tenant, mostBriefings, mostBriefings*keptOpens); err != nil {
		return nil, nil, fmt.Errorf("list openings: %w", err)
	}
	by := map[uuid.UUID][]Opening{}
	for _, o := range opens {
		by[o.Briefing] = append(by[o.Briefing], o)
	}

	return list, by, nil
}

// RevokeBriefing takes a link back. One that is over is ErrNotFound.
func RevokeBriefing(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) error {
	done, err := tx.ExecContext(ctx, `
		UPDATE briefings SET revoked_at = now() WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > now()`, tx.Tenant, id)
	if err != nil {
		return fmt.Errorf("take briefing back: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return tenants.ErrNotFound
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: by, Action: "briefing.withdraw", ObjectKind: "briefing", ObjectID: id.String()})
}

// BriefingBy is what a link leads to, in a System transaction; ErrBadBriefing where it is good no more.
func BriefingBy(ctx context.Context, tx *tenants.Tx, token string) (Briefing, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != briefingBytes {
		return Briefing{}, ErrBadBriefing
	}
	hash := sha256.Sum256(raw)
	var b Briefing
	err = tx.GetContext(ctx, &b, selectBriefing+`
		WHERE b.hash = $1 AND b.revoked_at IS NULL AND b.expires_at > now() AND t.state IN ('active', 'limited')`, hash[:])
	if errors.Is(err, sql.ErrNoRows) {
		return Briefing{}, ErrBadBriefing
	}
	if err != nil {
		return Briefing{}, fmt.Errorf("read briefing: %w", err)
	}

	return b, nil
}

// OpenBriefing notes that somebody opens a briefing by its link, in a System transaction. reader is the name they give, or "".
func OpenBriefing(ctx context.Context, tx *tenants.Tx, token, reader string) error {
	reader = strings.Join(strings.Fields(reader), " ")
	if len([]rune(reader)) > MaxReader {
		return &tenants.Invalid{Field: "reader", Key: "too_long"}
	}
	b, err := BriefingBy(ctx, tx, token)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make opening id: %w", err)
	}
	if tx, err = tx.Enter(ctx, b.Tenant); err != nil {
		return err
	}
	var opens int
	if err := tx.GetContext(ctx, &opens, `UPDATE briefings SET opens = opens + 1 WHERE tenant_id = $1 AND id = $2 RETURNING opens`, tx.Tenant, b.ID); err != nil {
		return fmt.Errorf("count opening: %w", err)
	}
	if opens > keptOpens {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO briefing_opens (tenant_id, id, briefing_id, reader) VALUES ($1, $2, $3, $4)`, tx.Tenant, id, b.ID, reader); err != nil {
		return fmt.Errorf("keep opening: %w", err)
	}

	return nil
}
