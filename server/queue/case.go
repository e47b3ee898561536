package queue

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/inbox"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/people"
	pages "github.com/pehchan/pehchan/views/queue"
)

const (
	caseMessages = 3 // of each side
	caseFound    = 8
)

// caseShown is how a case is looked at: which candidate, or somebody looked up.
type caseShown struct {
	filter identity.CaseFilter
	at     int
	who    uuid.UUID // looked up and chosen
	query  string    // looked for
	form   components.Filled
	seen   string     // what an out-of-date page had shown
	done   *web.Flash // what was just done; nil for what the cookie says
}

// CasePage opens a case, for five minutes to nobody else.
func (s *Pages) CasePage(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	f, err := queueFilter(c, c.Query("tab"), c.Query("number"))
	if err != nil {
		return err
	}
	how := caseShown{filter: f, query: strings.TrimSpace(c.Query("q"))}
	how.at, _ = strconv.Atoi(c.Query("c")) // what is no number is the first
	if who, err := uuid.Parse(c.Query("who")); err == nil {
		how.who = who
	}

	return s.showCase(c, fiber.StatusOK, id, how)
}

func (s *Pages) showCase(c *fiber.Ctx, status int, id uuid.UUID, how caseShown) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Case{Frame: s.Frame(c, "resolve.title"), Now: time.Now(), ID: id.String(), Tab: how.filter.Tab, Query: how.query, Form: how.form}
	if how.done != nil {
		p.Frame.Toast = web.Toast(ctx, *how.done)
	}
	p.Frame.Path = "/resolve/" + p.ID + "?" + queueQuery(how.filter)
	if how.filter.Number != uuid.Nil {
		p.NumberID = how.filter.Number.String()
	}
	p.AskedKind, p.AskedAge = how.filter.Kind, how.filter.Age

	whole := uuid.Nil // the case that asks about the same people
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		e, err := web.EyesOf(ctx, tx, m)
		if err != nil {
			return err
		}
		e.Items, e.Keys = s.Items(m), s.Keys
		p.CanDecide = m.Can("queue:decide")
		if p.CanDecide && c.Method() != fiber.MethodHead {
			if p.LeaseUntil, err = identity.Lease(ctx, tx, m.Actor, id); err != nil && tenants.ConflictCode(err) == "" {
				return err
			}
			if err := identity.ReleaseOthers(ctx, tx, m.Actor, id); err != nil {
				return err
			}
		}
		k, err := identity.GetCase(ctx, tx, id)
		if err != nil {
			return err
		}
		if k.PartOf != nil && status == fiber.StatusOK { // a refusal is told where it was asked
			whole = *k.PartOf
			return nil
		}
		if k.LeaseBy != "" && k.LeaseBy != m.Actor.ID {
			p.LeasedBy, p.LeaseUntil, p.CanDecide = e.Name(ctx, k.LeaseBy), web.OrZero(k.LeaseUntil), false
			if p.CanGoOn = m.Can("queue:decide"); p.CanGoOn && status == fiber.StatusOK {
				status = fiber.StatusConflict
			}
		}

		return fillCase(ctx, tx, e, m, k, how, &p)
	})
	if err != nil {
		return err
	}

	if whole != uuid.Nil {
		return c.Redirect("/resolve/"+whole.String()+"?"+queueQuery(how.filter), fiber.StatusSeeOther)
	}

	return s.Show(c, status, pages.CasePage(p))
}

func fillCase(ctx context.Context, tx *tenants.Tx, e web.Eyes, m access.Member, k identity.Case, how caseShown, p *pages.Case) error {
	p.Kind, p.Version, p.Since, p.HoldUntil, p.MayLink = k.Kind, k.Version, k.Since, web.OrZero(k.HoldUntil), m.Can("merges:risky")
	p.Seen = seenOf(k)
	if how.seen != "" {
		p.Changes = changesOf(ctx, e, k, how.seen)
	}
	for _, by := range k.UnsureBy {
		p.Unsure = append(p.Unsure, e.Name(ctx, by))
	}
	if k.State == "open" {
		p.AnswerBy, _ = k.AnswerBy(p.Now)
	}
	if k.Proposal != nil && k.State == "open" {
		p.Proposal = &pages.Proposal{By: e.Name(ctx, k.Proposal.By), Mine: k.Proposal.By == m.Actor.ID, Contact: k.Proposal.Contact.String(), Reason: e.Words(k.Proposal.Reason)}
		if how.who == uuid.Nil && how.query == "" && how.at == 0 {
			how.who = k.Proposal.Contact
		}
	}
	if k.State == "done" {
		p.CanDecide, p.LeaseUntil = false, time.Time{}
		p.Outcome, p.ClosedAt, p.ClosedBy = k.Outcome, web.OrZero(k.ClosedAt), k.ClosedBy
		if k.LinkID != nil && m.Can("merges:read") {
			p.Receipt = "/merges/" + k.LinkID.String()
		}
	}
	counts, err := identity.CountCases(ctx, tx)
	if err != nil {
		return err
	}
	p.Waiting = tabCounts(counts)[p.Tab]

	p.Who = whoOf(e, k)
	if p.Who == nil {
		return fillNobody(ctx, tx, e, k, p)
	}
	if k.Contact != nil {
		if p.Said, p.Number, err = lastSaid(ctx, tx, e, *k.Contact); err != nil {
			return err
		}
	}
	if err := inbox.FillCaseAsked(ctx, tx, e, k, p); err != nil {
		return err
	}
	if err := fillCandidates(ctx, tx, e, m, k, how, p); err != nil {
		return err
	}
	if how.query != "" && p.CanDecide {
		found, _, err := identity.List(ctx, tx, how.query, identity.Page{Limit: caseFound})
		if err != nil {
			return err
		}
		for _, f := range found {
			if k.ContactID == nil || f.ID != *k.ContactID {
				p.Found = append(p.Found, e.Someone(f))
			}
		}
	}
	if p.CanDecide && p.Frame.Toast == nil {
		p.Last, err = lastDecision(ctx, tx, e, m, "/resolve/"+p.ID+"?"+queueQuery(how.filter))
	}

	return err
}

// fillCandidates puts the candidates on the page and looks closely at the one shown.
func fillCandidates(ctx context.Context, tx *tenants.Tx, e web.Eyes, m access.Member, k identity.Case, how caseShown, p *pages.Case) error {
	k, err := identity.Suggest(ctx, tx, k)
	if err != nil {
		return err
	}
	if how.who != uuid.Nil && k.State == "open" && (k.ContactID == nil || how.who != *k.ContactID) {
		who, err := identity.Get(ctx, tx, how.who)
		if err != nil {
			return err
		}
		how.at = slices.IndexFunc(k.Candidates, func(o identity.Candidate) bool { return o.Contact.ID == who.ID })
		if how.at == -1 {
			k.Candidates = append(k.Candidates, identity.Candidate{Contact: who})
			how.at = len(k.Candidates) - 1
		}
	}
	if how.at < 0 || how.at >= len(k.Candidates) {
		how.at = 0
	}
	p.At = how.at
	shared := slices.ContainsFunc(p.Asked, func(a people.AskLine) bool { return a.Outcome == conversations.AskShared })
	if next := identity.NextProof(k, how.at); next.Code != "" && !(shared && next.Code == identity.ProofByAsking) {
		p.Certain = e.Reason(ctx, next)
	}

	if err := saw(ctx, tx, m.Actor, k, how.at); err != nil {
		return err
	}
	for i, o := range k.Candidates {
		view := pages.Candidate{Someone: e.Someone(o.Contact), Tier: o.Tier}
		if i == how.at {
			if err := lookAt(ctx, tx, e, k, o, &view); err != nil {
				return err
			}
			if p.CanDecide && len(inbox.PhonesOf(o.Contact)) > 0 {
				view.Code = inbox.CodePath(o.Contact.ID)
			}
		}
		p.Candidates = append(p.Candidates, view)
	}

	return nil
}

// saw notes whom a case's page shows side by side. Of further candidates it shows no more than a list does.
func saw(ctx context.Context, tx *tenants.Tx, by tenants.Actor, k identity.Case, at int) error {
	var shown []uuid.UUID
	if k.Contact != nil {
		shown = append(shown, k.Contact.ID)
	}
	if at < len(k.Candidates) {
		shown = append(shown, k.Candidates[at].Contact.ID)
	}

	return privacy.Saw(ctx, tx, by, privacy.SawPage, shown...)
}

func lookAt(ctx context.Context, tx *tenants.Tx, e web.Eyes, k identity.Case, o identity.Candidate, view *pages.Candidate) error {
	for _, r := range o.Reasons {
		because := pages.Because{Text: e.Reason(ctx, r), Tier: cmp.Or(r.Tier, o.Tier)}
		if k.Kind == identity.CaseConflict && o.Tier != "A" {
			because.Tier = ""
		}
		if r.ItemID != 0 && k.ContactID != nil {
			because.Raw = "/contacts/" + k.ContactID.String() + "/evidence/" + e.Items.Write(r.ItemID).String()
		}
		view.Reasons = append(view.Reasons, because)
	}

	against := o.Against
	mine := identity.Contact{}
	switch {
	case k.Contact != nil && k.State == "open":
		mine = *k.Contact
		warnings, err := identity.Warnings(ctx, tx, o.Contact, mine)
		if err != nil {
			return err
		}
		against = warnings
		for _, r := range o.Against {
			if !slices.ContainsFunc(against, func(w identity.Reason) bool { return w.Code == r.Code }) {
				against = append(against, r)
			}
		}
	case k.Contact != nil:
		mine = *k.Contact
	case k.Identity != nil:
		mine = identity.Contact{ProfileName: k.Identity.ProfileName, Identities: []identity.Identity{*k.Identity}}
	}
	view.Against, view.Risky = e.Reasons(ctx, against), len(against) > 0
	view.Compared = compare(ctx, e, mine, o.Contact)

	var err error
	view.Said, _, err = lastSaid(ctx, tx, e, o.Contact)

	return err
}

func lastSaid(ctx context.Context, tx *tenants.Tx, e web.Eyes, contact identity.Contact) (said []people.Said, number string, err error) {
	entries, _, err := conversations.Entries(ctx, tx, contact, identity.Page{Limit: caseMessages})
	if err != nil {
		return nil, "", err
	}
	if len(entries) > 0 {
		number = e.Numbers[entries[0].NumberID]
	}
	e.Numbers = nil // said once above, not with each message

	return e.Thread(entries, false), number, nil
}

// compare sets two people side by side.
func compare(ctx context.Context, e web.Eyes, mine, theirs identity.Contact) []pages.Compared {
	row := func(label, a, b string, shown func(string) string) pages.Compared {
		r := pages.Compared{Label: label, Same: a != "" && strings.EqualFold(a, b), Differ: a != "" && b != "" && !strings.EqualFold(a, b)}
		if a != "" {
			r.Mine = shown(a)
		}
		if b != "" {
			r.Theirs = shown(b)
		}

		return r
	}
	plain := func(s string) string { return s }
	handle := func(kind whatsapp.Kind) func(string) string {
		return func(value string) string { return e.Handle(kind, value).Shown }
	}
	name := row("name", mine.Name(), theirs.Name(), e.Words)
	name.Differ = false // people write one name in many ways

	rows := []pages.Compared{
		name,
		row("username", mine.Username(), theirs.Username(), func(s string) string { return "@" + s }),
		row("phone", mine.Phone(), theirs.Phone(), handle(whatsapp.KindPhone)),
		row("whatsapp_id", mine.BSUID(), theirs.BSUID(), handle(whatsapp.KindBSUID)),
		row("country", countryOf(mine), countryOf(theirs), plain),
	}
	wrote := pages.Compared{Label: "wrote"}
	if !mine.LastAt.IsZero() {
		wrote.Mine = i18n.Date(ctx, mine.LastAt)
	}
	if !theirs.LastAt.IsZero() {
		wrote.Theirs = i18n.Date(ctx, theirs.LastAt)
	}

	return append(rows, wrote)
}

func countryOf(c identity.Contact) string {
	if country, _, ok := strings.Cut(c.BSUID(), "."); ok {
		return country
	}

	return whatsapp.CountryOf(c.Phone())
}

// fillNobody shows what came in a message that names nobody.
func fillNobody(ctx context.Context, tx *tenants.Tx, e web.Eyes, k identity.Case, p *pages.Case) error {
	if k.ItemID == nil {
		return nil
	}
	item, err := ingest.ItemByID(ctx, tx, e.Keys, *k.ItemID)
	if err != nil {
		return err
	}
	p.Raw = "/resolve/" + p.ID + "/event"
	event, err := whatsapp.ParseEvent(whatsapp.ItemKind(item.Kind), item.Body)
	if err != nil {
		return nil //nolint:nilerr // what cannot be read is shown as it came
	}
	if item.Sealed {
		event.Text = whatsapp.MaskPhones(event.Text)
	}
	p.Number = e.Numbers[item.NumberID.UUID]
	p.Said = []people.Said{{Out: event.Direction == whatsapp.DirectionOut, At: event.At, Type: event.Type, Text: e.Words(event.Text)}}

	return nil
}

// CaseEvent shows the event of a case that names nobody.
func (s *Pages) CaseEvent(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	ctx, m := c.UserContext(), web.Member(c)
	var item ingest.Item
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		k, err := identity.GetCase(ctx, tx, id)
		if err != nil {
			return err
		}
		if k.ItemID == nil {
			return tenants.ErrNotFound
		}
		if item, err = ingest.ItemByID(ctx, tx, s.Keys, *k.ItemID); err != nil || k.Contact == nil {
			return err
		}

		return privacy.Saw(ctx, tx, m.Actor, privacy.SawPage, k.Contact.ID)
	})
	if err != nil {
		return err
	}

	return s.ShowEvent(c, item, "/resolve/"+id.String(), i18n.T(ctx, "resolve.who_nobody"))
}
