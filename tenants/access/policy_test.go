package access_test

import (
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/access"
)

func TestPolicy(t *testing.T) {
	t.Parallel()

	if err := access.CheckPolicy("queue:decide", "op:read"); err != nil {
		t.Errorf("want the policy sound, got %v", err)
	}
	if err := access.CheckPolicy("queue:fly"); err == nil {
		t.Error("want a permission nobody has found out")
	}

	for _, c := range []struct {
		role, permission string
		want             bool
	}{
		{access.Owner, "numbers:connect", true},
		{access.Lead, "numbers:connect", false},
		{access.Agent, "phones:clear", false},
		{access.Agent, "phones:reveal", true},
		{access.Marketing, "phones:reveal", false},
		{access.Auditor, "queue:decide", false},
		{access.Auditor, "audit:read_all", true},
		{access.Agent, "audit:read_all", false},
		{access.OperatorAdmin, "contacts:read", false},
		{access.OperatorAdmin, "phones:clear", false},
		{access.OperatorSupport, "op:write", false},
		// Deny by default, and no name is a pattern.
		{"", "home:read", false},
		{"*", "home:read", false},
		{"owner::x", "home:read", false},
		{"owner,x", "home:read", false},
		{access.Owner, "*", false},
		{access.Owner, "*:*", false},
		{access.Owner, "home:*", false},
		{access.Owner, "home", false},
		{access.Owner, "home::read", false},
		{access.Owner, "", false},
		{"OWNER", "home:read", false},
	} {
		if got := access.Can(c.role, c.permission); got != c.want {
			t.Errorf("%q %q: want %v, got %v", c.role, c.permission, c.want, got)
		}
	}
}

// matrix is the table of roles and areas that the product promises, by hand: W does the work, r reads, - neither. An area is the permissions
// to read it and, after the bar, those to work in it.
var matrix = []struct{ area, cells, reads, works string }{
	{"home", "rrrrrr", "home:read", ""},
	{"overview, an agent of their own queue", "rrrrrr", "overview:read", ""},
	{"forecast and reach", "rr-rrr", "forecast:read reach:read", ""},
	{"groups of customers", "WW-W--", "", "reach:save"},
	{"numbers and tokens", "Wr--Wr", "numbers:read", "numbers:connect"},
	{"queue", "WWW--r", "queue:read", "queue:decide"},
	{"what is risky, and others' decisions", "WW----", "", "merges:risky merges:undo_any"},
	{"phones in clear", "WW----", "", "phones:clear"},
	{"phones revealed one by one", "--W---", "", "phones:reveal"},
	{"contacts", "WWWrrr", "contacts:read", "contacts:edit"},
	{"lists in", "WW--W-", "", "contacts:import"},
	{"lists out", "W---W-", "", "contacts:export"},
	{"cards", "WWrWrr", "answers:read", "answers:edit"},
	{"macros", "rrrrrr", "macros:read", ""},
	{"lessons", "WWWWWr", "training:read", "training:learn"},
	{"usernames", "Wr-Wrr", "usernames:read", "usernames:claim"},
	{"team", "WW---r", "team:read", "team:manage"},
	{"every role of the team", "W-----", "", "team:manage_all"},
	{"API keys", "W---Wr", "apikeys:read", "apikeys:manage"},
	{"record of oneself", "rrrrrr", "audit:read", ""},
	{"record of the team", "rr---r", "audit:read_team", ""},
	{"whole record", "r----r", "audit:read_all", ""},
	{"privacy requests", "WWr--r", "privacy:read", "privacy:handle"},
	{"threads", "WWWrrr", "conversations:read", "conversations:answer"},
}

func TestPolicyKeepsTheMatrix(t *testing.T) {
	t.Parallel()
	for _, row := range matrix {
		for i, role := range access.Roles() {
			cell := row.cells[i]
			for _, p := range strings.Fields(row.reads) {
				if want := cell != '-'; access.Can(role, p) != want {
					t.Errorf("%s as %s: want %s %v", row.area, role, p, want)
				}
			}
			for _, p := range strings.Fields(row.works) {
				if want := cell == 'W'; access.Can(role, p) != want {
					t.Errorf("%s as %s: want %s %v", row.area, role, p, want)
				}
			}
		}
	}
	for _, role := range access.Roles() {
		if access.Can(role, "op:read") {
			t.Errorf("%s: want no console of the operator", role)
		}
	}
	for _, role := range []string{access.OperatorAdmin, access.OperatorSupport} {
		for _, p := range access.AllPermissions() {
			if p != "preferences:edit" && access.Can(role, p) {
				t.Errorf("%s: want no %s without a business's leave", role, p)
			}
		}
	}
	for _, role := range []string{access.OperatorReads, access.OperatorActs} {
		for _, p := range []string{"phones:clear", "phones:reveal", "numbers:connect", "privacy:read", "contacts:export", "conversations:answer"} {
			if access.Can(role, p) {
				t.Errorf("%s: want no %s", role, p)
			}
		}
	}
}
