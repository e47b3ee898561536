package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

type auditVerifyCmd struct {
	Tenant string `help:"Slug of a business; without it, the platform's chain and every business's."`
	Head   string `type:"existingfile" help:"File that audit head wrote: what it names must stand in the chains still."`
}

// Run checks the chains and names the first bad entry.
func (c auditVerifyCmd) Run(ctx context.Context, out *console) (err error) {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	chains, err := in.chains(ctx, c.Tenant)
	if err != nil {
		return err
	}

	heads, err := in.readHeads(c.Head)
	if err != nil {
		return err
	}

	entries := int64(0)
	for _, chain := range chains {
		var (
			n     int64
			fault *tenants.AuditFault
		)
		err := chain.enter(ctx, func(tx *tenants.Tx) (err error) {
			n, fault, err = tenants.VerifyAudit(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		if fault != nil {
			return fmt.Errorf("the audit chain of %s is broken at entry %d (%s)", chain.name, fault.Seq, fault.What)
		}
		entries += n
		if err := chain.holds(ctx, heads[chain.name]); err != nil {
			return err
		}
	}

	return out.answer(map[string]any{"ok": true, "chains": len(chains), "entries": entries},
		"audit holds: %d entries in %d chains", entries, len(chains))
}

// chain is one audit chain and the way into it.
type chain struct {
	name  string
	enter func(context.Context, func(*tenants.Tx) error) error
}

func (in *installation) chains(ctx context.Context, slug string) ([]chain, error) {
	if slug != "" {
		tenant, err := in.tenant(ctx, slug)
		if err != nil {
			return nil, err
		}

		return []chain{{"tenant " + slug, in.as(tenant)}}, nil
	}

	all := []chain{{"the platform", in.db.System}}
	after := uuid.Nil
	for {
		var page []tenants.Tenant
		err := in.db.System(ctx, func(tx *tenants.Tx) (err error) {
			page, err = access.Tenants(ctx, tx, after)
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return all, nil
		}
		for _, t := range page {
			all = append(all, chain{"tenant " + t.Slug, in.as(t.ID)})
			after = t.ID
		}
	}
}
