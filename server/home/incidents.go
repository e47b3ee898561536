package home

import (
	"context"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/privacy"
	pages "github.com/pehchan/pehchan/views/home"
)

// homeIncidents adds the clocks of incidents that run.
func homeIncidents(ctx context.Context, tx *tenants.Tx, p *pages.Home) error {
	list, err := privacy.RunningIncidents(ctx, tx)
	for _, i := range list {
		for _, o := range i.Owed() {
			if o.At == nil {
				p.Clocks = append(p.Clocks, pages.Clock{Incident: web.IncidentsPath + "/" + i.ID.String(), What: i.What, To: o.To, Due: o.Due, Over: o.Over(p.Now)})
			}
		}
	}

	return err //nolint:wrapcheck // it says what it read
}
