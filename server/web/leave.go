package web

import (
	"github.com/pehchan/pehchan/tenants/access"
	operatorpages "github.com/pehchan/pehchan/views/operator"
)

// LeaveView is an operator's leave to be in a business.
func LeaveView(g access.Grant) operatorpages.Leave {
	return operatorpages.Leave{
		ID: g.ID.String(), Business: g.Business, Operator: g.Operator, Mine: g.Mine, Reason: g.Reason, Ticket: g.Ticket, Scope: g.Scope, Minutes: g.Minutes,
		State: g.State, AskedAt: g.AskedAt, DecidedBy: g.DecidedBy, Standing: g.Standing, EnteredAt: OrZero(g.EnteredAt), ExpiresAt: OrZero(g.ExpiresAt),
		EndedBy: g.EndedBy, Pages: g.Pages,
	}
}
