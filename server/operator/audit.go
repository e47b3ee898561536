package operator

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/audit"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/operator"
	auditpages "github.com/pehchan/pehchan/views/audit"
	pages "github.com/pehchan/pehchan/views/operator"
)

func (s *Pages) AuditPage(c *fiber.Ctx) error { return s.showOpAudit(c, nil) }

func (s *Pages) showOpAudit(c *fiber.Ctx, verified *auditpages.ChainCheck) error {
	before, err := strconv.ParseInt(c.Query("before", "0"), 10, 64)
	if err != nil || before < 0 {
		return tenants.ErrNotFound
	}
	p := pages.Audit{Frame: s.Frame(c, "console.audit"), Now: time.Now(), All: web.Member(c).Can("op:write"), Verified: verified}
	p.Frame.Path = web.OpAuditPath
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) error {
		list, err := operator.Journal(ctx, tx, m, before, opPageSize+1)
		if len(list) > opPageSize {
			list = list[:opPageSize]
			p.Next = web.OpAuditPath + "?before=" + strconv.FormatInt(list[opPageSize-1].Seq, 10)
		}
		for _, e := range list {
			view := auditpages.Entry{Seq: e.Seq, At: e.At, Actor: e.Actor, Kind: e.ActorKind, Action: e.Action}
			if e.Business != "" {
				view.Object, view.Href = e.Business, web.OpTenantsPath+"/"+e.ObjectID
			}
			var detail map[string]any
			if json.Unmarshal([]byte(e.Detail), &detail) == nil {
				view.Detail = audit.Detail(detail)
			}
			p.Entries = append(p.Entries, view)
		}
		return err
	})
	if err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.AuditPage(p))
}

// VerifyAudit walks the platform's chain and says on the page whether it holds.
func (s *Pages) VerifyAudit(c *fiber.Ctx) error {
	var check auditpages.ChainCheck
	err := s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, _ access.Member) error {
		n, fault, err := tenants.VerifyAudit(ctx, tx)
		check.Entries = n
		if fault != nil {
			check.Broken = fault.Seq
		}
		return err
	})
	if err != nil {
		return err
	}

	return s.showOpAudit(c, &check)
}
