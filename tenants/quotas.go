package tenants

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Quota is a measure of what a business may have, or begin within a day. It keeps one business from filling what all of them share, and
// stands well above what any works with. How many people a team has and how much its keys ask in a minute is its plan's to say, and not here.
type Quota string

// The measures, each by what it counts.
const (
	QuotaAnswers      Quota = "answers" // cards of its own
	QuotaApps         Quota = "apps"
	QuotaAsks         Quota = "asks"      // for a phone number, in a day
	QuotaBriefings    Quota = "briefings" // whose links are good
	QuotaEscalations  Quota = "escalations"
	QuotaForwards     Quota = "forwards"
	QuotaForwardTests Quota = "forward_tests" // in an hour
	QuotaInvitations  Quota = "invitations"   // in a day
	QuotaKeys         Quota = "keys"
	QuotaLists        Quota = "lists"   // uploaded in a day
	QuotaMacros       Quota = "macros"  // of its own
	QuotaNumbers      Quota = "numbers" // connected, or waiting for it
	QuotaQuestions    Quota = "questions"
	QuotaSegments     Quota = "segments"
	QuotaTrust        Quota = "trust" // asked on the public page in a day: more is no customer
	QuotaUnfinished   Quota = "unfinished"
	QuotaWatched      Quota = "watched"
)

type measure struct {
	most  int
	code  string // of the refusal; conflict.<code> says it in words
	count string
	// loose lets several at once pass it together: what they write takes so long that they cannot wait for each other.
	loose bool
}

var measures = map[Quota]measure{
	QuotaAnswers: {300, "too_many_answers", `
		SELECT count(*) FROM (
			SELECT DISTINCT ON (card) removed FROM answer_versions WHERE tenant_id = $1 AND card LIKE 'own-%' ORDER BY card, version DESC
		) cards WHERE NOT removed`, false},
	QuotaApps:        {20, "too_many_apps", `SELECT count(*) FROM apps WHERE tenant_id = $1`, false},
	QuotaAsks:        {10_000, "too_many_asks", `SELECT count(*) FROM asks WHERE tenant_id = $1 AND asked_at > now() - interval '1 day'`, false},
	QuotaBriefings:   {50, "too_many_briefings", `SELECT count(*) FROM briefings WHERE tenant_id = $1 AND revoked_at IS NULL AND expires_at > now()`, false},
	QuotaEscalations: {200, "too_many_escalations", `SELECT count(*) FROM escalations WHERE tenant_id = $1 AND closed_at IS NULL`, false},
	QuotaForwards:    {5, "too_many_forwards", `SELECT count(*) FROM forward_targets WHERE tenant_id = $1 AND state <> 'removed'`, false},
	QuotaForwardTests: {30, "too_many_forward_tests", `
		SELECT count(*) FROM forwards WHERE tenant_id = $1 AND kind = 'test' AND made_at > now() - interval '1 hour'`, false},
	QuotaInvitations: {100, "too_many_invitations", `SELECT count(*) FROM invitations WHERE tenant_id = $1 AND sent_at > now() - interval '1 day'`, false},
	QuotaKeys:        {50, "too_many_keys", `SELECT count(*) FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL`, false},
	QuotaLists:       {50, "too_many_lists", `SELECT count(*) FROM imports WHERE tenant_id = $1 AND created_at > now() - interval '1 day'`, true},
	QuotaMacros: {100, "too_many_macros", `
		SELECT count(*) FROM (
			SELECT DISTINCT ON (macro) removed FROM macro_versions WHERE tenant_id = $1 AND macro LIKE 'own-%' ORDER BY macro, version DESC
		) macros WHERE NOT removed`, false},
	QuotaNumbers:    {200, "too_many_numbers", `SELECT count(*) FROM numbers WHERE tenant_id = $1 AND state <> 'disconnected'`, false},
	QuotaQuestions:  {1000, "too_many_questions", `SELECT count(*) FROM asked_questions WHERE tenant_id = $1 AND card = ''`, false},
	QuotaSegments:   {100, "too_many_segments", `SELECT count(*) FROM segments WHERE tenant_id = $1`, false},
	QuotaTrust:      {200, "trust_full", `SELECT count(*) FROM trust_requests WHERE tenant_id = $1 AND made_at > now() - interval '1 day'`, false},
	QuotaUnfinished: {20, "too_many_unfinished", `SELECT count(*) FROM imports WHERE tenant_id = $1 AND state IN ('mapping', 'checking', 'checked')`, true},
	QuotaWatched:    {500, "too_many_watched", `SELECT count(*) FROM username_watch WHERE tenant_id = $1`, false},
}

// Quotas lists the measures there are, by name.
func Quotas() []Quota { return slices.Sorted(maps.Keys(measures)) }

// Most is how much of it a business may have.
func (q Quota) Most() int { return measures[q].most }

// Code is that of the Conflict with which more is refused.
func (q Quota) Code() string { return measures[q].code }

// Within refuses one more of what a quota measures, as a Conflict, where tx's tenant has as much as it may. Many at once cannot pass it
// together: the next waits until tx ends.
func Within(ctx context.Context, tx *Tx, q Quota) error {
	m := measures[q]
	if !m.loose {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('quota ' || $1 || ' ' || $2, 0))`, string(q), tx.Tenant.String()); err != nil {
			return fmt.Errorf("lock quota of %s: %w", q, err)
		}
	}
	var has int
	if err := tx.GetContext(ctx, &has, m.count, tx.Tenant); err != nil {
		return fmt.Errorf("count %s: %w", q, err)
	}
	if has >= m.most {
		return &Conflict{Code: m.code}
	}

	return nil
}
