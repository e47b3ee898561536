package numbers

import (
	"context"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/numbers"
	pages "github.com/pehchan/pehchan/views/numbers"
)

const toldPageSize = 20

// fillShapes puts on a number's page in which version WhatsApp is spoken to, and which shapes of webhooks came.
func fillShapes(ctx context.Context, tx *tenants.Tx, number numbers.Number, p *pages.NumberHome) error {
	seen, err := ingest.ShapesSeen(ctx, tx, number.ID)
	if err != nil {
		return err
	}
	p.Version = config.MetaVersion
	for _, name := range ingest.Shapes {
		shape := pages.Shape{Name: name}
		for _, s := range seen {
			if s.Shape == name {
				shape.First, shape.Last = s.FirstAt, s.LastAt
			}
		}
		p.Shapes = append(p.Shapes, shape)
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
		p.Told = append(p.Told, web.ToldView(n))
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
		view := web.ToldView(trouble)
		p.Trouble = &view
	}

	return nil
}
