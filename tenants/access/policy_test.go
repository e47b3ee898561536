package access_test

import (
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
