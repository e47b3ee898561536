package imports

import (
	"context"
	"maps"
	"slices"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// leaveOutErased ends the rows that name somebody who was erased. Whoever has written since is known again by that identifier, and a list
// may name them as anybody.
func leaveOutErased(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, verdicts []verdict) error {
	if asked, err := erased.Any(ctx, tx); err != nil || !asked {
		return err //nolint:wrapcheck // it says what it looked for
	}

	h, hidden := erased.For(keys, tx.Tenant), phonefree.For(keys, tx.Tenant)
	named := map[identity.Handle][]string{} // as an identifier of theirs may have stood: where phones are not kept, it was a token
	hashes := map[string][]byte{}
	for _, v := range verdicts {
		if v.values.why != "" {
			continue
		}
		for _, handle := range v.values.handles() {
			named[handle] = []string{handle.Value}
			if handle.Kind == whatsapp.KindPhone {
				named[handle] = append(named[handle], hidden.Phone(handle.Value))
			}
			for _, value := range named[handle] {
				hashes[value] = h.Hash(erased.Identifier, value)
			}
		}
	}
	stones, err := erased.Find(ctx, tx, slices.Collect(maps.Values(hashes)))
	if err != nil || len(stones) == 0 {
		return err //nolint:wrapcheck // it says what it read
	}
	known, err := identity.Existing(ctx, tx, slices.Collect(maps.Keys(hashes)))
	if err != nil {
		return err //nolint:wrapcheck // it says what it read
	}
	gone := func(value string) bool {
		_, laid := stones[string(hashes[value])]
		return laid && !known[value]
	}
	for n := range verdicts {
		for _, handle := range verdicts[n].values.handles() {
			if slices.ContainsFunc(named[handle], gone) {
				verdicts[n].values.why = WhyErased
			}
		}
	}

	return nil
}
