// Package access says who somebody is and what they may do: people and their roles in tenants, passwords, sign-in and
// sessions, API keys, and the embedded policy of roles and permissions.
package access

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Person is somebody who can sign in. People stand above tenants; what they may do in one is their role there.
type Person struct {
	ID           uuid.UUID `db:"id"`
	Email        string    `db:"email"`
	Name         string    `db:"name"`
	OperatorRole string    `db:"operator_role"` // admin, support or none
	Lang         string    `db:"lang"`          // en, hi, or the tenant's
	Theme        string    `db:"theme"`         // system, light, dark
	Density      string    `db:"density"`       // shop, team, or the tenant's
	Shortcuts    bool      `db:"shortcuts"`     // single-key shortcuts
	CreatedAt    time.Time `db:"created_at"`
}

// Member is who a request comes from: a person in one tenant, an operator in none, or an API key.
type Member struct {
	Person Person
	Tenant tenants.Tenant // zero outside any tenant
	Role   string         // in Tenant; none outside
	Actor  tenants.Actor  // as the audit names them
	Scopes []string       // of an API key: read, write
	Places []Place        // tenants the person may switch to
	Proved bool           // they have proved who they are within ProofLife
	Grant  *Grant         // by which an operator stands in Tenant
	Lapsed bool           // an operator stood in a tenant by a grant that is over

	HasFactor     bool          // a second one, which their sign-in asks for
	FactorAsked   bool          // their role needs a second factor, and they have none
	FactorLeft    time.Duration // with FactorAsked: how long they may go without
	MustAddFactor bool          // that time is over: nothing else is open to them

	session []byte // hash of the session id
}

// HasTenant tells whether the member stands in a tenant.
func (m Member) HasTenant() bool { return m.Tenant.ID != uuid.Nil }

// Can tells whether the member may do permission (object:action): by their role where they stand in a tenant, as an operator where
// they stand in none. Somebody who is both wears one hat at a time, and the audit names the one they wear.
func (m Member) Can(permission string) bool {
	switch {
	case m.Role != "" && !tenants.Allows(m.Tenant.State, tenants.Working) && m.HasTenant():
		return Can(ClosingOwner, permission)
	case m.Role != "":
		return Can(m.Role, permission)
	case m.Person.OperatorRole == "admin":
		return Can(OperatorAdmin, permission)
	case m.Person.OperatorRole == "support":
		return Can(OperatorSupport, permission)
	}

	return false
}

// HasScope tells whether the member is an API key with the scope read or write.
func (m Member) HasScope(scope string) bool {
	for _, s := range m.Scopes {
		if s == scope {
			return true
		}
	}

	return false
}

// FormScope is what a form's token is tied to: the session and the tenant it stands in, so that a page left open from before a
// switch of tenant or another sign-in can change nothing.
func (m Member) FormScope() []byte {
	return append(append([]byte{}, m.session...), m.Tenant.ID[:]...)
}

// Command is the member that the command line acts as: an owner by role, named as a command in the audit.
func Command(name string) Member {
	return Member{Role: Owner, Actor: tenants.Actor{Kind: "command", Name: name}}
}

type memberKey struct{}

// With returns a context that carries the signed-in member.
func With(ctx context.Context, m Member) context.Context {
	return context.WithValue(ctx, memberKey{}, m)
}

// From is the member that With put into ctx; ok is false for an anonymous request.
func From(ctx context.Context) (m Member, ok bool) {
	m, ok = ctx.Value(memberKey{}).(Member)

	return m, ok
}
