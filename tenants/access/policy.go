package access

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	stringadapter "github.com/casbin/casbin/v2/persist/string-adapter"
)

//go:embed model.conf
var modelText string

//go:embed policy.csv
var policyText string

// The subjects of the policy: the roles in a tenant, the two above tenants, and who is in a tenant for one thing only.
const (
	Owner           = "owner"
	Lead            = "lead"
	Agent           = "agent"
	Marketing       = "marketing"
	Developer       = "developer"
	Auditor         = "auditor"
	OperatorAdmin   = "operator_admin"
	OperatorSupport = "operator_support"
	OperatorReads   = "op_read" // an operator in a tenant, by its leave
	OperatorActs    = "op_act"
	ClosingOwner    = "closing_owner" // an owner of a business that closes
	Visitor         = "visitor"       // somebody who looks around the demo
)

// Roles are the roles a person can have in a tenant, widest first.
func Roles() []string { return []string{Owner, Lead, Agent, Marketing, Developer, Auditor} }

// IsRole tells whether role is one of Roles.
func IsRole(role string) bool {
	for _, r := range Roles() {
		if r == role {
			return true
		}
	}

	return false
}

// allowed holds every granted role and permission, worked out once through casbin. The policy is embedded, so it cannot
// change while the program runs, and a lookup costs what a map costs.
var allowed = sync.OnceValues(func() (map[string]map[string]bool, error) {
	m, err := model.NewModelFromString(modelText)
	if err != nil {
		return nil, fmt.Errorf("read access model: %w", err)
	}
	e, err := casbin.NewEnforcer(m, stringadapter.NewAdapter(policyText))
	if err != nil {
		return nil, fmt.Errorf("read access policy: %w", err)
	}
	e.EnableLog(false)

	rules, err := e.GetPolicy()
	if err != nil {
		return nil, fmt.Errorf("list access policy: %w", err)
	}

	sets := map[string]map[string]bool{}
	for _, rule := range rules {
		role, object, action := rule[0], rule[1], rule[2]
		for _, name := range rule {
			if !plainName(name) {
				return nil, fmt.Errorf("access policy: %q is not a plain name", name)
			}
		}
		ok, err := e.Enforce(role, object, action)
		if err != nil {
			return nil, fmt.Errorf("ask access policy: %w", err)
		}
		if sets[role] == nil {
			sets[role] = map[string]bool{}
		}
		sets[role][object+":"+action] = ok
	}

	return sets, nil
})

// plainName keeps the policy to names that cannot be read as patterns or run together with their neighbours.
func plainName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// Can tells whether role may do permission, written object:action as in policy.csv. What the policy does not grant is refused.
func Can(role, permission string) bool {
	sets, err := allowed()

	return err == nil && sets[role][permission]
}

// CheckPolicy reads the embedded policy and returns what is wrong with it, and whether permission stands in it for any role.
func CheckPolicy(permissions ...string) error {
	sets, err := allowed()
	if err != nil {
		return err
	}

next:
	for _, p := range permissions {
		for _, set := range sets {
			if set[p] {
				continue next
			}
		}

		return fmt.Errorf("no role has the permission %q", p)
	}

	return nil
}
