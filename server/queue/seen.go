package queue

import (
	"context"
	"slices"
	"strings"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/views/i18n"
)

// seenOf is what a page has shown of a case, so that a later refusal can say what changed.
func seenOf(k identity.Case) string {
	parts := []string{k.Kind}
	for _, o := range k.Candidates {
		parts = append(parts, o.Contact.ID.String())
	}

	return strings.Join(parts, " ")
}

func changesOf(ctx context.Context, e web.Eyes, k identity.Case, seen string) []string {
	parts := strings.Fields(seen)
	var out []string
	if k.State == "done" {
		by := k.ClosedBy
		if by == "" || by == "system" {
			by = i18n.T(ctx, "resolve.change_whatsapp")
		}
		out = append(out, i18n.T(ctx, "resolve.change_done", "outcome", i18n.T(ctx, "resolve.outcome_"+k.Outcome), "by", by))
	} else if parts[0] != k.Kind {
		out = append(out, i18n.T(ctx, "resolve.change_kind", "kind", i18n.T(ctx, "resolve.kind_"+k.Kind)))
	}
	for _, o := range k.Candidates {
		if !slices.Contains(parts, o.Contact.ID.String()) {
			out = append(out, i18n.T(ctx, "resolve.change_added", "name", e.Label(ctx, o.Contact)))
		}
	}
	if gone := len(parts) - 1 - countSeen(k, parts); gone > 0 {
		out = append(out, i18n.N(ctx, "resolve.change_removed", gone))
	}
	if len(out) == 0 {
		out = append(out, i18n.T(ctx, "resolve.change_else"))
	}

	return out
}

func countSeen(k identity.Case, parts []string) (n int) {
	for _, o := range k.Candidates {
		if slices.Contains(parts, o.Contact.ID.String()) {
			n++
		}
	}

	return n
}
