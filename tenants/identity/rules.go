package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// RuleKinds are the kinds of evidence that may link by themselves where the owner allows it: A4 to A8 of matching.md. A1 to A3
// always link.
var RuleKinds = []string{hintCardRequest, hintCode, signQuoted, signTapped, signParent}

// What a rule does with evidence of its kind.
const (
	RuleOff    = "off"    // suggests it, as it does always
	RuleShadow = "shadow" // suggests it, and counts what it would have linked
	RuleOn     = "on"     // links
)

// ShadowFor is how long a rule watches before it may be switched on.
const ShadowFor = 7 * 24 * time.Hour

// The circuit breaker (matching.md 2.4): with so many links of a kind in the window, and so many of them taken back, a 95 % upper
// bound of the share of errors over the limit turns the rule off.
const (
	breakerWindow = 90 * 24 * time.Hour
	breakerLinks  = 1000
	breakerErrors = 2
	breakerLimit  = 0.005
)

// Rule is the switch of one kind of evidence and how it has done.
type Rule struct {
	Evidence string    `db:"evidence"`
	Mode     string    `db:"mode"`
	Since    time.Time `db:"since"`    // of the mode; a rule nobody touched has watched since the business joined
	By       string    `db:"by_name"`  // who switched it
	Tripped  bool      `db:"tripped"`  // the circuit breaker turned it off
	Linked   int       `db:"linked"`   // links in the window, also those taken back
	Undone   int       `db:"undone"`   // of those, taken back by people
	Standing int       `db:"standing"` // links it has made, ever, that stand
	Agreed   int       `db:"agreed"`   // cases in the window with such evidence that people decided as it would have
	Differed int       `db:"differed"`
}

// Ready tells whether the rule has watched long enough to be switched on.
func (r Rule) Ready(now time.Time) bool { return r.Mode != RuleShadow || now.Sub(r.Since) >= ShadowFor }

// ReadyAt is when it will have.
func (r Rule) ReadyAt() time.Time { return r.Since.Add(ShadowFor) }

// Rules reads the switches, in the order of RuleKinds. Codes are watched since the first was made.
func Rules(ctx context.Context, tx *tenants.Tx) ([]Rule, error) {
	var rows []Rule
	err := tx.SelectContext(ctx, &rows, `
		SELECT k.evidence, coalesce(r.mode, 'shadow') AS mode,
		       coalesce(r.since, CASE k.evidence WHEN '`+hintCode+`' THEN coalesce((SELECT min(m.made_at) FROM link_codes m WHERE m.tenant_id = $1), now())
		                         ELSE t.created_at END) AS since, coalesce(r.by_name, '') AS by_name,
		       coalesce(r.tripped, false) AS tripped, l.linked, l.undone, s.standing, c.agreed, c.differed
		FROM unnest($2::text[]) WITH ORDINALITY AS k (evidence, place)
		JOIN tenants t ON t.id = $1
		LEFT JOIN link_rules r ON r.tenant_id = $1 AND r.evidence = k.evidence
		CROSS JOIN LATERAL (
			SELECT count(*) AS linked, count(*) FILTER (WHERE l.undone_at IS NOT NULL AND l.undone_by <> 'system') AS undone
			FROM links l WHERE l.tenant_id = $1 AND l.rule <> '' AND l.rule = k.evidence AND l.at > now() - $3 * interval '1 second') l
		CROSS JOIN LATERAL (
			SELECT count(*) AS standing FROM links l WHERE l.tenant_id = $1 AND l.rule <> '' AND l.rule = k.evidence AND l.undone_at IS NULL) s
		CROSS JOIN LATERAL (
			SELECT count(*) FILTER (WHERE c.outcome = 'same') AS agreed, count(*) FILTER (WHERE c.outcome IN ('not_same', 'new')) AS differed
			FROM cases c WHERE c.tenant_id = $1 AND c.state = 'done' AND c.closed_at > now() - $3 * interval '1 second'
			  AND c.candidates @> jsonb_build_array(jsonb_build_object('reasons', jsonb_build_array(jsonb_build_object('code', k.evidence))))) c
		ORDER BY k.place`, tx.Tenant, pq.Array(RuleKinds), breakerWindow.Seconds())
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}

	return rows, nil
}

// KindRelink is the kind of job that a switched rule leaves, its args RelinkArgs: a worker calls Relink until all is derived again.
const KindRelink = "relink"

// RelinkArgs is how far such a job has come.
type RelinkArgs struct {
	Evidence string    `json:"evidence"`
	After    uuid.UUID `json:"after"`
}

// SetRule switches a rule, and leaves a job that derives again what it links. To set one that turned itself off to off says that it
// was seen.
// Errors: Invalid; Conflict "shadow_first" where it has not watched for ShadowFor.
func SetRule(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, evidence, mode string) error {
	if !slices.Contains(RuleKinds, evidence) {
		return &tenants.Invalid{Field: "evidence", Key: "unknown_kind"}
	}
	if !slices.Contains([]string{RuleOff, RuleShadow, RuleOn}, mode) {
		return &tenants.Invalid{Field: "mode", Key: "unknown_kind"}
	}
	if err := Lock(ctx, tx); err != nil {
		return err
	}
	rules, err := Rules(ctx, tx)
	if err != nil {
		return err
	}
	now := rules[slices.IndexFunc(rules, func(r Rule) bool { return r.Evidence == evidence })]
	if now.Mode == mode && !now.Tripped {
		return nil
	}
	var clock time.Time
	if err := tx.GetContext(ctx, &clock, `SELECT now()`); err != nil {
		return fmt.Errorf("read the time: %w", err)
	}
	if mode == RuleOn && (now.Mode != RuleShadow || !now.Ready(clock)) {
		return &tenants.Conflict{Code: "shadow_first"}
	}

	return switchRule(ctx, tx, actor, evidence, mode, false)
}

func switchRule(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, evidence, mode string, tripped bool) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO link_rules (tenant_id, evidence, mode, by_name, tripped) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant_id, evidence) DO UPDATE SET mode = excluded.mode, since = now(), by_name = excluded.by_name, tripped = excluded.tripped`,
		tx.Tenant, evidence, mode, actor.Name, tripped); err != nil {
		return fmt.Errorf("switch rule: %w", err)
	}

	args, err := json.Marshal(RelinkArgs{Evidence: evidence})
	if err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO jobs (id, tenant_id, kind, args) VALUES ($1, $2, $3, $4)`, newID(), tx.Tenant, KindRelink, string(args)); err != nil {
		return fmt.Errorf("have links derived again: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "rule.switch", ObjectKind: "rule", ObjectID: evidence, Detail: map[string]any{"mode": mode, "tripped": tripped},
	})
}

// breakRule turns a rule off once too many of its links were taken back. It tells whether it did.
func breakRule(ctx context.Context, tx *tenants.Tx, evidence string) (bool, error) {
	rules, err := Rules(ctx, tx)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Evidence == evidence })
	if i == -1 || rules[i].Mode != RuleOn || !tooMany(rules[i].Undone, rules[i].Linked) {
		return false, nil
	}

	return true, switchRule(ctx, tx, tenants.SystemActor, evidence, RuleOff, true)
}

func tooMany(errors, links int) bool {
	return links >= breakerLinks && errors >= breakerErrors && upperBound(errors, links) > breakerLimit
}

// upperBound is the upper end of the 95 % Wilson interval of k in n.
func upperBound(k, n int) float64 {
	const z = 1.959964
	p, m := float64(k)/float64(n), float64(n)

	return (p + z*z/(2*m) + z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))) / (1 + z*z/m)
}

// Relink derives again what rules link, for up to limit contacts after the given one that evidence of the kind, or a link by it,
// is about. It returns the last contact it looked at, uuid.Nil when none is left, and how many it looked at.
func Relink(ctx context.Context, tx *tenants.Tx, evidence string, after uuid.UUID, limit int) (last uuid.UUID, looked int, err error) {
	if err := Lock(ctx, tx); err != nil {
		return uuid.Nil, 0, err
	}
	var contacts []uuid.UUID
	err = tx.SelectContext(ctx, &contacts, `
		SELECT DISTINCT i.contact_id FROM identities i
		WHERE i.tenant_id = $1 AND i.contact_id > $3 AND i.absorbed_into IS NULL AND (
			EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.rule = $2 AND l.undone_at IS NULL AND l.identity_id = i.id)
			OR EXISTS (SELECT 1 FROM tenures t JOIN hints h ON h.tenant_id = $1 AND h.subject_id = t.identifier_id AND h.kind = $2
			           WHERE t.tenant_id = $1 AND t.identity_id = i.id)
			OR $2 IN ('quoted_reply', 'tapped') AND EXISTS (SELECT 1 FROM tenures t JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.context_wamid <> ''
			           WHERE t.tenant_id = $1 AND t.identity_id = i.id)
			OR $2 = 'same_parent' AND EXISTS (SELECT 1 FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind = 'parent_bsuid'
			           WHERE t.tenant_id = $1 AND t.identity_id = i.id))
		ORDER BY i.contact_id LIMIT $4`, tx.Tenant, evidence, after, limit)
	if err != nil {
		return uuid.Nil, 0, fmt.Errorf("find whom a rule is about: %w", err)
	}
	if len(contacts) == 0 {
		return uuid.Nil, 0, nil
	}

	return contacts[len(contacts)-1], len(contacts), SyncContacts(ctx, tx, contacts)
}

// MaxWould bounds how many open cases Would looks at.
const MaxWould = 500

// Would lists the open cases that evidence of the kind would have closed by itself were its rule on, oldest first.
func Would(ctx context.Context, tx *tenants.Tx, evidence string) ([]uuid.UUID, error) {
	var open []struct {
		Case    uuid.UUID `db:"id"`
		Subject uuid.UUID `db:"identity_id"`
	}
	err := tx.SelectContext(ctx, &open, `
		SELECT id, identity_id FROM cases
		WHERE tenant_id = $1 AND state = 'open' AND kind = 'suggested' AND identity_id IS NOT NULL
		  AND candidates @> jsonb_build_array(jsonb_build_object('reasons', jsonb_build_array(jsonb_build_object('code', $2::text))))
		ORDER BY waiting_since, id LIMIT $3`, tx.Tenant, evidence, MaxWould)
	if err != nil {
		return nil, fmt.Errorf("read cases of a rule: %w", err)
	}
	subjects := make([]uuid.UUID, len(open))
	for i, o := range open {
		subjects[i] = o.Subject
	}
	called, err := calledFor(ctx, tx, []string{evidence}, subjects)
	if err != nil {
		return nil, err
	}

	var would []uuid.UUID
	for _, o := range open {
		if slices.ContainsFunc(called, func(c ruled) bool { return c.Subject == o.Subject || c.Rule == signParent && c.Target == o.Subject }) {
			would = append(would, o.Case)
		}
	}

	return would, nil
}
