package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
)

type adoptionRebuildCmd struct {
	Tenant string `help:"Slug of a business; without it, every business."`
	Check  bool   `help:"Only count, and fail where a sum is not what the count comes to."`
}

// Run counts each business's customers anew and puts right what differs, or says that something does. A business's events wait
// meanwhile: about ten seconds for a million customers.
func (c adoptionRebuildCmd) Run(ctx context.Context, out *console) (err error) {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	chains, err := in.chains(ctx, c.Tenant)
	if err != nil {
		return err
	}
	var total adoption.Recount
	counted := 0
	for _, of := range chains {
		err := of.enter(ctx, func(tx *tenants.Tx) error {
			if tx.Tenant == uuid.Nil {
				return nil // the platform has no customers
			}
			found, err := c.count(ctx, tx)
			if err != nil {
				return fmt.Errorf("count the customers of %s: %w", of.name, err)
			}
			if c.Check && found.Wrong > 0 {
				return fmt.Errorf("%d sums of %s are not what its rows come to; adoption rebuild puts them right", found.Wrong, of.name)
			}
			counted++
			total.Rows, total.Accounts, total.Phones = total.Rows+found.Rows, total.Accounts+found.Accounts, total.Phones+found.Phones
			total.Cells, total.Wrong = total.Cells+found.Cells, total.Wrong+found.Wrong

			return nil
		})
		if err != nil {
			return err
		}
	}

	return out.answer(map[string]any{
		"ok": true, "tenants": counted, "accounts": total.Accounts, "rows": total.Rows, "phones": total.Phones, "sums": total.Cells, "wrong": total.Wrong,
	}, "%d businesses, %d accounts, %d sums: %d were wrong", counted, total.Accounts, total.Cells, total.Wrong)
}

func (c adoptionRebuildCmd) count(ctx context.Context, tx *tenants.Tx) (adoption.Recount, error) {
	if err := identity.Lock(ctx, tx); err != nil {
		return adoption.Recount{}, err
	}
	if c.Check {
		return adoption.Check(ctx, tx)
	}
	found, err := adoption.Rebuild(ctx, tx)
	if err != nil || found.Wrong == 0 {
		return found, err
	}

	return found, tenants.Audit(ctx, tx, tenants.Act{
		Actor: access.Command("adoption rebuild").Actor, Action: "adoption.rebuild", Detail: map[string]any{"wrong": found.Wrong},
	})
}
