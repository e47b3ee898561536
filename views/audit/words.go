package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/i18n"
)

// spoken are the words that pages have already for values of a setting or fact, by what their keys begin with. A value of its own is
// audit.value_<name>_<value>.
var spoken = map[string][]string{
	"":         {"roles.", "support.standing_", "console.state_"},
	"audience": {"briefing.for_"},
	"channel":  {"consent.by_"},
	"decision": {"resolve.outcome_"},
	"density":  {"settings.density_"},
	"failed":   {"check."},
	"field":    {"privacy.field_"},
	"changed":  {"answers.field_"},
	"kind": {
		"privacy.kind_", "training.quiz_title_", "escalate.kind_", "trust.kind_", "code.kind_", "resolve.kind_", "library.kind_",
	},
	"mode":    {"rules.mode_"},
	"outcome": {"usernames.outcome_"},
	"proof":   {"privacy.proof_"},
	"reach":   {"contacts.reach_"},
	"reason":  {"check."},
	"role":    {"roles."},
	"rule":    {"rules.name_"},
	"state":   {"numbers.state_", "usernames.watch_state_", "privacy.state_"},
	"status":  {"usernames.state_"},
	"value":   {"consent."},
	"was":     {"numbers.state_", "check."},
}

// Words is the key of the words for a setting or fact of an act; empty where there are none. What means one thing in one kind of act and
// another elsewhere has words of its own there.
func Words(action, name string) string {
	name = strings.ToLower(name)
	subject, _, _ := strings.Cut(action, ".")
	for _, key := range []string{"audit.field_" + subject + "_" + name, "audit.field_" + name} {
		if i18n.Known(key) {
			return key
		}
	}
	if key := "keeping.class_" + name; subject == "privacy" && i18n.Known(key) {
		return key
	}

	return ""
}

// label names a setting or fact; one that has no words yet is shown as it is stored.
func (e Entry) label(ctx context.Context, d AuditDetail) string {
	if key := Words(e.Action, d.Name); key != "" {
		return i18n.T(ctx, key)
	}

	return d.Name
}

// value is before or after in words, where there are some.
func (e Entry) value(ctx context.Context, d AuditDetail, v string) string {
	subject, _, _ := strings.Cut(e.Action, ".")
	name := strings.ToLower(d.Name)
	var several []string
	if strings.HasPrefix(v, "[") && json.Unmarshal([]byte(v), &several) == nil {
		for i, one := range several {
			several[i] = e.value(ctx, d, one)
		}

		return strings.Join(several, ", ")
	}
	n, err := strconv.Atoi(v)
	switch {
	case v == "true":
		return i18n.T(ctx, "audit.yes")
	case v == "false":
		return i18n.T(ctx, "audit.no")
	case err == nil && e.Action == "privacy.keep" && n == 0:
		return i18n.T(ctx, "audit.value_never")
	case err == nil && e.Action == "privacy.keep":
		return i18n.N(ctx, "keeping.days", n)
	case err == nil && strings.HasSuffix(e.Action, ".quiet"):
		return fmt.Sprintf("%02d:%02d", n/60, n%60)
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(form, v); err == nil {
			return i18n.Date(ctx, at)
		}
	}
	keys := []string{"audit.value_" + name + "_" + v}
	if subject == "trust" {
		keys = append(keys, "trust."+name+"_"+v)
	}
	if e.Action == "tenant.state" {
		keys = append(keys, "console.state_"+v)
	}
	for _, prefix := range spoken[name] {
		keys = append(keys, prefix+v)
	}
	for _, key := range keys {
		if i18n.Known(key) {
			return i18n.T(ctx, key)
		}
	}

	return v
}
