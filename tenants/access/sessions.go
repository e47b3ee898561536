package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// SessionLife is how long a session lasts at most.
	SessionLife = 12 * time.Hour
	// SessionIdle is how long a session lasts while nobody uses it.
	SessionIdle = 30 * time.Minute
	// A session's last use is written at most this often.
	sessionTouch = time.Minute

	deviceLife     = 365 * 24 * time.Hour
	tokenIssuer    = "pehchan"
	typeSession    = "session"
	typeDevice     = "device"
	sessionIDBytes = 32
	maxToken       = 2048
)

// ErrNoSession says that a token is not ours, or that its session is over, revoked, or its person may no longer be served.
var ErrNoSession = errors.New("no session")

// Sessions signs and checks session tokens. A token is a JWT that carries a random session id; what the session is worth
// stands in the database and is read with every request, so the end of one bites at once.
type Sessions struct {
	// FactorOptional: no role needs a second factor.
	FactorOptional bool

	key    []byte
	parser *jwt.Parser
}

// NewSessions signs with key, 32 bytes.
func NewSessions(key []byte) *Sessions {
	return &Sessions{key: key, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(tokenIssuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithStrictDecoding(),
	)}
}

type claims struct {
	jwt.RegisteredClaims
	Type string `json:"typ"`
	ID   string `json:"sid"`
}

func (s *Sessions) sign(typ, subject, id string, now time.Time, life time.Duration) (string, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: tokenIssuer, Audience: jwt.ClaimStrings{typ}, Subject: subject,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
		},
		Type: typ, ID: id,
	}).SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}

	return token, nil
}

// read checks signature, times and type. A token of one type is none of another: both the audience and the typ claim say which.
func (s *Sessions) read(token, typ string) (claims, error) {
	if len(token) > maxToken {
		return claims{}, ErrNoSession
	}

	var c claims
	_, err := s.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return s.key, nil })
	if err != nil || c.Type != typ || len(c.Audience) != 1 || c.Audience[0] != typ || !timesAreNumbers(token) {
		return claims{}, ErrNoSession
	}

	return c, nil
}

// timesAreNumbers tells whether the times of a token are numbers, as the parser reads numbers in quotes too.
func timesAreNumbers(token string) bool {
	var times struct{ Exp, Iat, Nbf json.RawMessage }
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil || json.Unmarshal(payload, &times) != nil {
		return false
	}
	for _, at := range []json.RawMessage{times.Exp, times.Iat, times.Nbf} {
		if bytes.HasPrefix(at, []byte(`"`)) {
			return false
		}
	}

	return true
}

// Signed tells whether token is a session token of ours that is not over. It asks no database, so nonsense costs little; only
// Check says whether the session lives.
func (s *Sessions) Signed(token string) bool {
	_, err := s.read(token, typeSession)

	return err == nil
}

// Origin is where a sign-in came from, kept with the session.
type Origin struct {
	Address   string
	UserAgent string
}

// start makes a session with a new id and returns its token and the hash it is found by. It takes over the end and the last proof of the session it follows, whose
// hash is after; nil where somebody signs in. It needs a System transaction.
func (s *Sessions) start(ctx context.Context, tx *tenants.Tx, person, tenant uuid.UUID, from Origin, after []byte) (token string, hashed []byte, err error) {
	id := make([]byte, sessionIDBytes)
	if _, err := rand.Read(id); err != nil {
		return "", nil, fmt.Errorf("make session id: %w", err)
	}
	hash := sha256.Sum256(id)

	var row struct {
		From  time.Time `db:"created_at"`
		Until time.Time `db:"expires_at"`
	}
	err = tx.GetContext(ctx, &row, `
		INSERT INTO sessions (id_hash, person_id, tenant_id, expires_at, proved_at, ip, user_agent)
		SELECT $1, $2, $3, coalesce(max(b.expires_at), now() + $4 * interval '1 second'), coalesce(max(b.proved_at), now()), $5, left($6, 300)
		FROM sessions b WHERE b.id_hash = $7 RETURNING created_at, expires_at`,
		hash[:], person, uuid.NullUUID{UUID: tenant, Valid: tenant != uuid.Nil}, SessionLife.Seconds(), from.Address, cleanText(from.UserAgent), after)
	if err != nil {
		return "", nil, fmt.Errorf("start session: %w", err)
	}

	// iat is refused when it lies in the future of the machine that checks it; the database's clock may be ahead of ours.
	now, life := row.From, row.Until.Sub(row.From)
	if local := time.Now(); now.After(local) {
		now = local
	}

	token, err = s.sign(typeSession, person.String(), base64.RawURLEncoding.EncodeToString(id), now, life)

	return token, hash[:], err
}

// Check returns who the token's session belongs to, in a System transaction, and keeps the session awake. Everything is read
// anew: a session that was ended, is over (12 hours), idle (30 minutes), or whose person or membership is gone is ErrNoSession. One in
// a business whose state lets nobody in, or which an operator entered by a grant that is over, stands in no business from then on.
func (s *Sessions) Check(ctx context.Context, tx *tenants.Tx, token string) (Member, error) {
	return s.check(ctx, tx, token, true)
}

// Peek is Check, but lets the session fall asleep: for what a page asks by itself while nobody may be there.
func (s *Sessions) Peek(ctx context.Context, tx *tenants.Tx, token string) (Member, error) {
	return s.check(ctx, tx, token, false)
}

// hash is what a session is found by.
func (c claims) hash() ([]byte, error) {
	id, err := base64.RawURLEncoding.DecodeString(c.ID)
	if err != nil || len(id) != sessionIDBytes {
		return nil, ErrNoSession
	}
	hash := sha256.Sum256(id)

	return hash[:], nil
}

func (s *Sessions) check(ctx context.Context, tx *tenants.Tx, token string, wake bool) (Member, error) {
	c, err := s.read(token, typeSession)
	if err != nil {
		return Member{}, err
	}
	hash, err := c.hash()
	if err != nil {
		return Member{}, err
	}

	var row struct {
		Person
		TenantID uuid.NullUUID `db:"tenant_id"`
		GrantID  uuid.NullUUID `db:"grant_id"`
		Role     string        `db:"role"`
		Stale    bool          `db:"stale"`
		Proved   bool          `db:"proved"`
		Factor   bool          `db:"factor"`
		Left     float64       `db:"factor_left"`
	}
	err = tx.GetContext(ctx, &row, `
		SELECT p.id, p.email, p.name, coalesce(p.operator_role, '') AS operator_role, coalesce(p.lang, '') AS lang, p.theme,
		       coalesce(p.density, '') AS density, p.shortcuts, p.created_at,
		       s.tenant_id, s.grant_id, coalesce(m.role, '') AS role, s.seen_at < now() - $3 * interval '1 second' AS stale,
		       s.proved_at > now() - $4 * interval '1 second' AS proved, `+selectHasFactor+` AS factor,
		       extract(epoch FROM coalesce(p.factor_from, now()) + $5 * interval '1 second' - now())::float8 AS factor_left
		FROM sessions s
		JOIN people p ON p.id = s.person_id
		LEFT JOIN memberships m ON m.tenant_id = s.tenant_id AND m.person_id = s.person_id
		WHERE s.id_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > now()
		  AND s.seen_at > now() - $2 * interval '1 second' AND p.disabled_at IS NULL`,
		hash, SessionIdle.Seconds(), sessionTouch.Seconds(), ProofLife.Seconds(), FactorGrace.Seconds())
	if errors.Is(err, sql.ErrNoRows) {
		return Member{}, ErrNoSession
	}
	if err != nil {
		return Member{}, fmt.Errorf("read session: %w", err)
	}
	if row.ID.String() != c.Subject {
		return Member{}, ErrNoSession
	}

	m := Member{Person: row.Person, Actor: row.actor(false), Proved: row.Proved, HasFactor: row.Factor, session: hash}
	switch {
	case row.GrantID.Valid:
		if err := m.enterByGrant(ctx, tx, row.TenantID.UUID, row.GrantID.UUID); err != nil {
			return Member{}, err
		}
	case row.TenantID.Valid && row.Role == "":
		return Member{}, ErrNoSession
	case row.TenantID.Valid:
		tenant, err := readTenant(ctx, tx, row.TenantID.UUID)
		if err != nil {
			return Member{}, err
		}
		if admits(tenant.State, row.Role) {
			m.Tenant, m.Role, m.Actor = tenant, row.Role, row.actor(true)
			if visits(m.Person, tenant) {
				m.Role = Visitor
			}
		}
	}
	if m.needsFactor() && !row.Factor && !s.FactorOptional {
		m.FactorLeft = max(seconds(row.Left), 0)
		m.FactorAsked = true
		m.MustAddFactor = m.FactorLeft == 0 && !m.Tenant.Demo
	}

	if m.Places, err = Places(ctx, tx, m.Person.ID); err != nil {
		return Member{}, err
	}

	if wake && row.Stale {
		if _, err := tx.ExecContext(ctx, `UPDATE sessions SET seen_at = now() WHERE id_hash = $1`, hash); err != nil {
			return Member{}, fmt.Errorf("touch session: %w", err)
		}
	}

	return m, nil
}

// admits tells whether a state lets a role in: one in which the business leaves, its owners alone.
func admits(state, role string) bool {
	return tenants.Allows(state, tenants.Working) || role == Owner && tenants.Allows(state, tenants.Leaving)
}

func readTenant(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (tenants.Tenant, error) {
	var t tenants.Tenant
	err := tx.GetContext(ctx, &t, `SELECT `+tenantColumns+` FROM tenants WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return tenants.Tenant{}, ErrNoSession
	}
	if err != nil {
		return tenants.Tenant{}, fmt.Errorf("read tenant: %w", err)
	}

	return t, nil
}

func (p Person) actor(inTenant bool) tenants.Actor {
	kind := "person"
	if !inTenant && p.OperatorRole != "" {
		kind = "operator"
	}

	return tenants.Actor{Kind: kind, ID: p.ID.String(), Name: p.Name}
}

// End signs the member's session out, in a System transaction. One that has ended meanwhile stays so.
func End(ctx context.Context, tx *tenants.Tx, m Member) error {
	_, err := end(ctx, tx, m)

	return err
}

func end(ctx context.Context, tx *tenants.Tx, m Member) (lived bool, err error) {
	result, err := tx.ExecContext(ctx, `UPDATE sessions SET revoked_at = now() WHERE id_hash = $1 AND revoked_at IS NULL`, m.session)
	if err != nil {
		return false, fmt.Errorf("end session: %w", err)
	}
	n, err := result.RowsAffected()

	return n == 1, err
}

// EndOthers signs the member out everywhere but here, in a System transaction, and returns how many sessions ended. Sign-ins half done and
// links to another e-mail end with them.
func EndOthers(ctx context.Context, tx *tenants.Tx, m Member) (int64, error) {
	if err := lockLiving(ctx, tx, m); err != nil {
		return 0, err
	}

	return endOtherSessions(ctx, tx, m.Person.ID, m.session)
}

// Switch moves the member into another tenant of theirs, or with uuid.Nil an operator out of all: a new session there that lasts no
// longer than the old one would have, which ends. It needs a System transaction. A tenant they do not belong to is ErrNotFound, and so is none for who is no operator.
func (s *Sessions) Switch(ctx context.Context, tx *tenants.Tx, m Member, tenant uuid.UUID, from Origin) (string, error) {
	out := tenant == uuid.Nil
	if out && m.Person.OperatorRole == "" || !out && !hasPlace(m.Places, tenant) {
		return "", tenants.ErrNotFound
	}
	if err := lockPerson(ctx, tx, m.Person.ID); err != nil {
		return "", err
	}
	// Who was signed out everywhere this moment must not slip through with a new session.
	lived, err := end(ctx, tx, m)
	if err != nil {
		return "", err
	}
	if !lived {
		return "", ErrNoSession
	}
	token, _, err := s.start(ctx, tx, m.Person.ID, tenant, from, m.session)
	if err != nil {
		return "", err
	}
	if !out {
		if tx, err = tx.Enter(ctx, tenant); err != nil {
			return "", err
		}
	}

	return token, tenants.Audit(ctx, tx, tenants.Act{
		Actor: m.Person.actor(!out), Action: "session.sign_in", ObjectKind: "person", ObjectID: m.Person.ID.String(),
	})
}

// Place is a tenant somebody belongs to.
type Place struct {
	ID   uuid.UUID `db:"id"`
	Slug string    `db:"slug"`
	Name string    `db:"name"`
	Role string    `db:"role"`
}

// Places lists the tenants that let a person in, by name, in a System transaction.
func Places(ctx context.Context, tx *tenants.Tx, person uuid.UUID) ([]Place, error) {
	var places []Place
	err := tx.SelectContext(ctx, &places, `
		SELECT t.id, t.slug, t.name, m.role
		FROM memberships m JOIN tenants t ON t.id = m.tenant_id
		WHERE m.person_id = $1 AND (t.state = ANY($2) OR m.role = 'owner' AND t.state = ANY($3))
		ORDER BY lower(t.name), t.id LIMIT 200`, person, pq.Array(tenants.StatesOf(tenants.Working)), pq.Array(tenants.StatesOf(tenants.Leaving)))
	if err != nil {
		return nil, fmt.Errorf("list a person's tenants: %w", err)
	}

	return places, nil
}

func hasPlace(places []Place, tenant uuid.UUID) bool {
	for _, p := range places {
		if p.ID == tenant {
			return true
		}
	}

	return false
}
