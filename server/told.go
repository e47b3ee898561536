package server

import (
	"context"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/pages"
)

const toldPageSize = 20

// fillWishes puts on a contact's page what they told WhatsApp about marketing messages: the strictest word of all their accounts.
func fillWishes(ctx context.Context, tx *tenants.Tx, contact identity.Contact, p *pages.Contact) error {
	list, err := identity.Preferences(ctx, tx, contact)
	if err != nil {
		return err
	}
	wish, ok := identity.Strictest(list, identity.Marketing)
	if ok && (wish.Value == identity.Stop || wish.Value == identity.Resume) {
		p.Marketing = &pages.Wish{Value: wish.Value, At: wish.At}
	}

	return nil
}

// fillTold puts on a number's page what WhatsApp said about it and its account.
func fillTold(ctx context.Context, tx *tenants.Tx, number numbers.Number, p *pages.NumberHome) error {
	list, err := notices.About(ctx, tx, number.ID, number.WABAID, toldPageSize)
	if err != nil {
		return err
	}
	for _, n := range list {
		p.Told = append(p.Told, toldView(n))
	}
	name, ok, err := notices.Username(ctx, tx, number.ID)
	if err != nil {
		return err
	}
	if ok && (name.Event == "reserved" || name.Event == "approved") {
		p.Username = pages.OwnUsername{Name: name.Facts["username"], State: name.Event}
	}
	trouble, ok, err := notices.Trouble(ctx, tx, number.ID, number.WABAID)
	if err != nil {
		return err
	}
	if ok && number.State != numbers.Disconnected {
		view := toldView(trouble)
		p.Trouble = &view
	}

	return nil
}

func toldView(n notices.Notice) pages.Told {
	return pages.Told{Field: n.Field, Event: n.Event, At: n.At, Facts: n.Facts, Account: !n.NumberID.Valid}
}

// drift is what WhatsApp sends to any business that is in no documentation.
func (s *Server) drift(ctx context.Context) ([]pages.Drift, error) {
	list, err := ingest.Novelties(ctx, s.db)
	if err != nil {
		return nil, err
	}

	return driftViews(list), nil
}

func driftViews(list []ingest.Novelty) []pages.Drift {
	out := make([]pages.Drift, len(list))
	for i, n := range list {
		out[i] = pages.Drift{Field: n.Field, What: n.What, First: n.FirstAt, Last: n.LastAt, Times: n.Times, Sample: readable([]byte(n.Sample), true)}
	}

	return out
}
