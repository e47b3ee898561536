package server_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// apart are two people who have nothing to do with each other, for somebody to merge.
var apart = []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID, name: "Asha"}, ev{id: "b", at: 1, phone: leilasPhone, bsuid: leilasID, name: "Leila"}}

// mergeCases: people make two contacts one, and two again.
var mergeCases = []edgeCase{
	{n: 56, told: apart, then: func(t *testing.T, in *inbox) {
		asha, leila := in.whois(t, whatsapp.KindPhone, ashasPhone).ID, in.whois(t, whatsapp.KindPhone, leilasPhone).ID
		in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
			p, err := identity.PreviewMerge(ctx, tx, asha, leila)
			if err == nil && (len(p.Warnings) == 0 || p.Warnings[0].Code != "two_live_accounts") {
				t.Errorf("warnings %+v, want two live accounts", p.Warnings)
			}
			return err
		})
		if err := in.merges(identity.MergeInput{Keep: asha, Lose: leila, Reason: "same voice"}); err == nil {
			t.Error("somebody who may not take the risk could merge them")
		}
		if err := in.merges(identity.MergeInput{Keep: asha, Lose: leila, MayRisk: true}); err == nil {
			t.Error("they could be merged without a reason")
		}
		in.merge(t, asha, leila)
		for _, i := range in.whois(t, whatsapp.KindPhone, ashasPhone).Identities {
			kind, to := i.Address()
			if want := map[string]string{ashasID: ashasPhone, leilasID: leilasPhone}[in.bsuidOf(i)]; kind != whatsapp.KindPhone || to != want {
				t.Errorf("a reply to %s goes to %s, want %s", in.bsuidOf(i), to, want)
			}
		}
	}},
	{n: 57, told: apart, then: func(t *testing.T, in *inbox) {
		asha, leila := in.whois(t, whatsapp.KindPhone, ashasPhone).ID, in.whois(t, whatsapp.KindPhone, leilasPhone).ID
		in.merge(t, asha, leila)
		in.tell(t, ev{id: "c", at: 9, phone: leilasPhone})
		for _, phone := range []string{ashasPhone, leilasPhone} {
			if got := in.whois(t, whatsapp.KindPhone, phone).ID; got != asha {
				t.Errorf("%s leads to %s, want the survivor", phone, got)
			}
		}
	}},
	{n: 58, told: append([]any{ev{id: "c", phone: "573000000303"}}, apart...), then: func(t *testing.T, in *inbox) {
		a, b, c := in.whois(t, whatsapp.KindPhone, ashasPhone).ID, in.whois(t, whatsapp.KindPhone, leilasPhone).ID, in.whois(t, whatsapp.KindPhone, "573000000303").ID
		in.merge(t, b, a)
		if err := in.merges(identity.MergeInput{Keep: a, Lose: b, Reason: "x", MayRisk: true}); tenants.ConflictCode(err) != "merged_away" {
			t.Errorf("merging back into a tombstone: %v", err)
		}
		in.merge(t, c, b)
		if n := in.count(t, `SELECT count(*) FROM contacts WHERE merged_into = '`+c.String()+`'`); n != 2 {
			t.Errorf("%d tombstones point at the survivor, want both", n)
		}
		in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
			got, err := identity.Get(ctx, tx, a)
			if got.ID != c {
				t.Errorf("the first id answers with %s, want %s", got.ID, c)
			}
			return err
		})
	}},
	{n: 59, told: apart, then: func(t *testing.T, in *inbox) {
		asha, leila := in.whois(t, whatsapp.KindPhone, ashasPhone).ID, in.whois(t, whatsapp.KindPhone, leilasPhone).ID
		var both sync.WaitGroup
		both.Go(func() { in.merge(t, asha, leila) })
		both.Go(func() { in.send(t, posted(ev{id: "c", at: 9, phone: leilasPhone, bsuid: leilasID})) })
		both.Wait()
		in.settle(t)
		in.ends(t, `
			contact: bsuid DZ.88120045517723901, phone 213550000202 | Leila | 1 in text "hello b"; 9 in text "hello c" + contact: bsuid IN.7704418820035512, phone 919800000101 | Asha | 0 in text "hello a"`)
	}},
	{n: 60, told: apart, then: func(t *testing.T, in *inbox) {
		before := in.state(t)
		asha, leila := in.whois(t, whatsapp.KindPhone, ashasPhone).ID, in.whois(t, whatsapp.KindPhone, leilasPhone).ID
		link := in.merge(t, asha, leila)
		in.tell(t, ev{id: "c", at: 9, bsuid: leilasID, name: "Leila"})
		in.undo(t, link)
		in.ends(t, strings.ReplaceAll(before, `"hello b"`, `"hello b"; 9 in text "hello c"`))
	}},
	{n: 61, told: apart, then: func(t *testing.T, in *inbox) {
		asha, leila := in.whois(t, whatsapp.KindPhone, ashasPhone).ID, in.whois(t, whatsapp.KindPhone, leilasPhone).ID
		link := in.merge(t, asha, leila)
		c, name := in.whois(t, whatsapp.KindPhone, ashasPhone), "Asha and Leila"
		in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
			_, err := identity.Edit{Contact: asha, Version: c.Version, DisplayName: &name}.Apply(ctx, tx, access.Command("test").Actor)
			return err
		})
		in.undo(t, link)
		if got := in.whois(t, whatsapp.KindPhone, ashasPhone).DisplayName; got != name {
			t.Errorf("the name is %q, want what was edited since", got)
		}
		if got := in.whois(t, whatsapp.KindPhone, leilasPhone).Name(); got != "Leila" {
			t.Errorf("the other is called %q", got)
		}
	}},
	{n: 62, told: apart, then: func(t *testing.T, in *inbox) {
		asha, leila := in.whois(t, whatsapp.KindPhone, ashasPhone).ID, in.whois(t, whatsapp.KindPhone, leilasPhone).ID
		in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
			for _, way := range [][2]uuid.UUID{{asha, leila}, {leila, asha}} {
				p, err := identity.PreviewMerge(ctx, tx, way[0], way[1])
				if err != nil || p.Keep.ID != way[0] || p.NameAfter != p.Keep.Name() || len(p.Blocked) > 0 {
					t.Errorf("keep %s: %+v, %v", way[0], p, err)
				}
			}
			return nil
		})
		in.merge(t, leila, asha)
		if got := in.whois(t, whatsapp.KindPhone, ashasPhone); got.ID != leila || got.Name() != "Leila" {
			t.Errorf("the survivor is %s, called %s; want the one chosen", got.ID, got.Name())
		}
	}},
	{n: 63, told: []any{
		ev{id: "a", phone: ashasPhone, bsuid: ashasID, name: "Asha Verma"},
		ev{id: "b", at: 1, bsuid: leilasID, name: "Asha Verma", username: "asha"},
		card(ev{id: "c", at: 2, bsuid: leilasID}, "contact_request", "+919800000101", ashasPhone),
	}, want: `
			case: suggested about bsuid DZ.88120045517723901 | A card_request 919800000101IN.7704418820035512
			contact: bsuid DZ.88120045517723901 | @asha, Asha Verma | 1 in text "hello b"; 2 in contacts "Card"
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 0 in text "hello a"`},
	{n: 64, told: apart, then: func(t *testing.T, in *inbox) {
		other := in.open(t)
		other.tell(t, ev{id: "a", phone: ashasPhone, bsuid: ashasID})
		mine, theirs := in.whois(t, whatsapp.KindPhone, ashasPhone).ID, other.whois(t, whatsapp.KindPhone, ashasPhone).ID
		cl := in.client(t, tenants.Tenant{ID: in.tenant}, "read", "write")
		cl.want(cl.post("/merges", merging(mine.String(), theirs.String(), "x")), http.StatusNotFound, "not_found")
		in.refuses(t, `UPDATE identities SET contact_id = '`+theirs.String()+`'`)
	}},
	{n: 65, told: append([]any{ev{is: "preference", word: "resume", at: 3, phone: ashasPhone, bsuid: ashasID}, ev{is: "preference", word: "stop", at: 2, bsuid: leilasID}}, apart...), then: func(t *testing.T, in *inbox) {
		asha, leila := in.whois(t, whatsapp.KindPhone, ashasPhone).ID, in.whois(t, whatsapp.KindPhone, leilasPhone).ID
		link := in.merge(t, asha, leila)
		if got := in.wants(t, ashasPhone); got != identity.Stop {
			t.Errorf("together they want %q, want the strictest", got)
		}
		in.undo(t, link)
		if a, l := in.wants(t, ashasPhone), in.wants(t, leilasPhone); a != identity.Resume || l != identity.Stop {
			t.Errorf("apart again they want %q and %q", a, l)
		}
	}},
}

func (in *inbox) merges(input identity.MergeInput) error {
	ctx := context.Background()
	return in.DB.As(ctx, in.tenant, func(tx *tenants.Tx) error {
		_, err := identity.Merge(ctx, tx, access.Command("test").Actor, input)
		return err
	})
}

func (in *inbox) merge(t *testing.T, keep, lose uuid.UUID) (link uuid.UUID) {
	t.Helper()
	ctx := context.Background()
	err := in.DB.As(ctx, in.tenant, func(tx *tenants.Tx) (err error) {
		link, err = identity.Merge(ctx, tx, access.Command("test").Actor, identity.MergeInput{Keep: keep, Lose: lose, Reason: "same voice", MayRisk: true})
		return err
	})
	if err != nil {
		t.Errorf("merge: %v", err)
	}

	return link
}

func (in *inbox) undo(t *testing.T, link uuid.UUID) {
	t.Helper()
	in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := identity.Undo(ctx, tx, access.Command("test").Actor, link, true)
		return err
	})
}

// wants is what counts of what the holder of a phone told WhatsApp about marketing.
func (in *inbox) wants(t *testing.T, phone string) (value string) {
	t.Helper()
	c := in.whois(t, whatsapp.KindPhone, phone)
	in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
		list, err := identity.Preferences(ctx, tx, c)
		if p, ok := identity.Strictest(list, identity.Marketing); ok {
			value = p.Value
		}
		return err
	})

	return value
}

func (in *inbox) bsuidOf(i identity.Identity) string {
	return identity.Contact{Identities: []identity.Identity{i}}.BSUID()
}
