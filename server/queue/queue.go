package queue

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/people"
	pages "github.com/pehchan/pehchan/views/queue"
)

const (
	queuePageSize = 25
	maxTakes      = 5 // of a next case, while others take it first
)

// queueFilter reads ?tab= and ?number=, and of the tab of all open cases ?kind= and ?age=. An unknown one is none.
func queueFilter(c *fiber.Ctx, tab, number string) (identity.CaseFilter, error) {
	f := identity.CaseFilter{Urgent: true, Page: identity.Page{Limit: queuePageSize, Cursor: c.Query("cursor")}}
	switch tab {
	case identity.TabNew, identity.TabSuggested, identity.TabConflicts, identity.TabWaiting, identity.TabApprovals, identity.TabDone, identity.TabOpen:
		f.Tab = tab
	}
	if number != "" {
		id, err := uuid.Parse(number)
		if err != nil {
			return identity.CaseFilter{}, tenants.ErrNotFound
		}
		f.Number = id
	}
	if kind := narrowing(c, "kind"); f.Tab == identity.TabOpen && identity.KnownKind(kind) {
		f.Kind = kind
	}
	if age := narrowing(c, "age"); f.Tab == identity.TabOpen {
		if _, _, known := adoption.Waited(age, time.Now()); known {
			f.Age = age
		}
	}

	return f, nil
}

// narrowing is what an address or a form asks for under a name.
func narrowing(c *fiber.Ctx, name string) string { return cmp.Or(c.Query(name), web.Field(c, name)) }

// firstTab is the tab to begin with: the first that holds something to decide.
func firstTab(q identity.QueueCounts) string {
	switch {
	case q.Conflicts > 0 && q.Suggested == 0 && q.New == 0:
		return identity.TabConflicts
	case q.Suggested > 0:
		return identity.TabSuggested
	case q.New == 0 && q.Approvals > 0:
		return identity.TabApprovals
	}

	return identity.TabNew
}

func tabCounts(q identity.QueueCounts) map[string]int {
	return map[string]int{
		identity.TabNew: q.New, identity.TabSuggested: q.Suggested, identity.TabConflicts: q.Conflicts, identity.TabWaiting: q.Waiting, identity.TabApprovals: q.Approvals,
		identity.TabOpen: q.Due(),
	}
}

// Page lists the cases that somebody must decide.
func (s *Pages) Page(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	f, err := queueFilter(c, c.Query("tab"), c.Query("number"))
	if err != nil {
		return err
	}

	p := pages.Queue{Frame: s.Frame(c, "resolve.title"), Now: time.Now(), CanDecide: m.Can("queue:decide"), CanConnect: m.Can("numbers:connect")}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		counts, err := identity.CountCases(ctx, tx)
		if err != nil {
			return err
		}
		if p.Asked = f.Tab != ""; !p.Asked {
			f.Tab = firstTab(counts)
		}
		if f.Tab == identity.TabSuggested {
			f.Evidence = signCode(c.Query("sign"))
		}
		p.Tab, p.Counts, p.Kind, p.Age = f.Tab, tabCounts(counts), f.Kind, f.Age

		return fillQueue(ctx, tx, m, f, &p)
	})
	if err != nil {
		return err
	}
	if p.Next != "" {
		p.Next = "/resolve?" + queueQuery(f, "cursor", p.Next)
	}

	return s.Show(c, fiber.StatusOK, pages.QueuePage(p))
}

func fillQueue(ctx context.Context, tx *tenants.Tx, m access.Member, f identity.CaseFilter, p *pages.Queue) error {
	e, err := web.EyesOf(ctx, tx, m)
	if err != nil {
		return err
	}
	p.Numbers = e.Choices()
	p.NoNumber = len(p.Numbers) == 0
	if f.Number != uuid.Nil {
		p.Number = f.Number.String()
	}

	if f.Tab == identity.TabSuggested {
		signs, err := identity.Signs(ctx, tx, f)
		if err != nil {
			return err
		}
		p.Sign, p.Signs = f.Evidence, signChoices(ctx, signs)
	}
	cases, next, err := identity.Cases(ctx, tx, f)
	if err != nil {
		return err
	}
	p.Next = next
	var accounts []uuid.UUID
	for _, k := range cases {
		if k.IdentityID != nil {
			accounts = append(accounts, *k.IdentityID)
		}
	}
	latest, err := conversations.Latest(ctx, tx, accounts)
	if err != nil {
		return err
	}
	asked, err := conversations.LastAsked(ctx, tx, accounts)
	if err != nil {
		return err
	}
	for _, k := range cases {
		item := queueItem(ctx, e, m, k, latest)
		if k.IdentityID != nil && k.State == "open" {
			item.Asked = asked[*k.IdentityID]
		}
		p.Items = append(p.Items, item)
	}

	if p.Week, err = week(ctx, tx); err != nil || !p.CanDecide || p.Frame.Toast != nil {
		return err
	}
	p.Last, err = lastDecision(ctx, tx, e, m, "/resolve?"+queueQuery(f))

	return err
}

// signCode is the code of a kind of sign, "" for what can be none.
func signCode(s string) string {
	if len(s) > 40 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return ""
	}

	return s
}

// signChoices are the kinds of sign that a tab's cases rest on, the most frequent first.
func signChoices(ctx context.Context, signs map[string]int) []pages.SignChoice {
	list := make([]pages.SignChoice, 0, len(signs))
	for code, count := range signs {
		list = append(list, pages.SignChoice{Code: code, Name: pages.SignName(ctx, code), Count: count})
	}
	slices.SortFunc(list, func(a, b pages.SignChoice) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})

	return list
}

func week(ctx context.Context, tx *tenants.Tx) (pages.Week, error) {
	w, err := identity.Week(ctx, tx)

	return pages.Week(w), err
}

func queueItem(ctx context.Context, e web.Eyes, m access.Member, k identity.Case, latest map[uuid.UUID]conversations.Message) pages.QueueItem {
	item := pages.QueueItem{
		ID: k.ID.String(), Kind: k.Kind, Since: k.Since, Conflict: k.Kind == identity.CaseConflict, HoldUntil: web.OrZero(k.HoldUntil),
		Outcome: k.Outcome, ClosedAt: web.OrZero(k.ClosedAt), ClosedBy: k.ClosedBy, Who: whoOf(e, k),
	}
	if k.State == "open" {
		item.AnswerBy, _ = k.AnswerBy(time.Now())
		item.Money = k.Money
	}
	if k.Proposal != nil {
		item.Proposed = e.Name(ctx, k.Proposal.By)
	}
	if k.IdentityID != nil {
		if last, ok := latest[*k.IdentityID]; ok {
			v := e.Said(last, false)
			item.Last = &v
		}
	}
	if len(k.Candidates) > 0 {
		item.Candidate, item.Tier = e.Label(ctx, k.Candidates[0].Contact), k.Candidates[0].Tier
	}
	if k.LeaseBy != "" {
		item.Lease, item.LeaseMine = e.Name(ctx, k.LeaseBy), k.LeaseBy == m.Actor.ID
	}
	for _, by := range k.UnsureBy {
		item.Unsure = append(item.Unsure, e.Name(ctx, by))
	}

	return item
}

// whoOf is whom a case is about, nil where it names nobody.
func whoOf(e web.Eyes, k identity.Case) *people.Someone {
	switch {
	case k.Contact != nil && (len(k.Contact.Identities) > 0 || k.Identity == nil):
		who := e.Someone(*k.Contact)
		return &who
	case k.Identity != nil:
		who := e.Stranger(*k.Identity)
		return &who
	}

	return nil
}

// lastDecision is what the member decided last, if one key may still take it back.
func lastDecision(ctx context.Context, tx *tenants.Tx, e web.Eyes, m access.Member, next string) (*pages.LastDecision, error) {
	last, ok, err := identity.Last(ctx, tx, m.Actor)
	if err != nil || !ok {
		return nil, err
	}
	if last.Bulk != uuid.Nil {
		return &pages.LastDecision{Decision: last.Decision, Count: last.Count, Undo: web.BulkPath + "/" + last.Bulk.String() + "/undo"}, nil
	}
	k, err := identity.GetCase(ctx, tx, last.Case)
	if err != nil {
		return nil, err
	}

	view := pages.LastDecision{Decision: last.Decision, Undo: "/resolve/" + last.Case.String() + "/undo", Next: next}
	if last.LinkID != nil {
		view.Undo = "/merges/" + last.LinkID.String() + "/undo"
	}
	if who := whoOf(e, k); who != nil {
		view.Name = who.Name
		if who.Name == "" {
			view.Name = who.Handle.Shown
		}
	}

	return &view, nil
}

func queueQuery(f identity.CaseFilter, more ...string) string {
	q := url.Values{}
	if f.Tab != "" {
		q.Set("tab", f.Tab)
	}
	if f.Number != uuid.Nil {
		q.Set("number", f.Number.String())
	}
	if f.Evidence != "" {
		q.Set("sign", f.Evidence)
	}
	if f.Kind != "" {
		q.Set("kind", f.Kind)
	}
	if f.Age != "" {
		q.Set("age", f.Age)
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}

	return q.Encode()
}

// NextCase leads to the case that has waited longest, after one just looked at. Where colleagues have all that is left open, it says who.
func (s *Pages) NextCase(c *fiber.Ctx) error {
	f, err := queueFilter(c, c.Query("tab"), c.Query("number"))
	if err != nil {
		return err
	}
	after, err := uuid.Parse(c.Query("after", uuid.Nil.String()))
	if err != nil {
		return tenants.ErrNotFound
	}
	next, found, err := s.caseAfter(c, f, after)
	if errors.Is(err, tenants.ErrNotFound) {
		return s.nothingFree(c, f)
	}
	if err != nil {
		return err
	}

	return c.Redirect("/resolve/"+next.String()+"?"+queueQuery(found), fiber.StatusSeeOther)
}

// startTabs are where the next case is looked for if no tab is asked for, the likeliest to be settled first.
var startTabs = []string{identity.TabSuggested, identity.TabNew, identity.TabConflicts, identity.TabApprovals}

func tabsOf(f identity.CaseFilter) []string {
	if f.Tab != "" {
		return []string{f.Tab}
	}

	return startTabs
}

// caseAfter takes the case to decide after another, and says in which tab it stands. ErrNotFound where the tab is done, or each one is.
func (s *Pages) caseAfter(c *fiber.Ctx, f identity.CaseFilter, after uuid.UUID) (uuid.UUID, identity.CaseFilter, error) {
	ctx, m := c.UserContext(), web.Member(c)
	var next uuid.UUID
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		for _, tab := range tabsOf(f) {
			f.Tab = tab
			var err error
			if next, err = takeNext(ctx, tx, m.Actor, f, after); !errors.Is(err, tenants.ErrNotFound) {
				return err
			}
		}

		return tenants.ErrNotFound
	})

	return next, f, err
}

// takeNext takes the next case of one tab.
func takeNext(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, f identity.CaseFilter, after uuid.UUID) (uuid.UUID, error) {
	for try := 1; ; try++ {
		next, err := identity.NextCase(ctx, tx, actor, f, after)
		if err != nil {
			return uuid.Nil, err
		}
		_, err = identity.Lease(ctx, tx, actor, next)
		taken := tenants.ConflictCode(err) != ""
		switch {
		case !taken:
			return next, err
		case try == maxTakes: // a page that tells who has it is no worse than looking for ever
			return next, nil
		}
	}
}

// nothingFree leads back to the list. A colleague who has what is left is named: else nothing seems to happen.
func (s *Pages) nothingFree(c *fiber.Ctx, f identity.CaseFilter) error {
	ctx, m := c.UserContext(), web.Member(c)
	var say *web.Flash
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		for _, f.Tab = range tabsOf(f) {
			k, err := identity.Taken(ctx, tx, m.Actor, f)
			if errors.Is(err, tenants.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			e, err := web.EyesOf(ctx, tx, m)
			say = &web.Flash{Key: "resolve.all_taken", Args: []any{"name", e.Name(ctx, k.LeaseBy), "time", i18n.Clock(ctx, web.OrZero(k.LeaseUntil))}}

			return err
		}

		return nil
	})
	if err != nil {
		return err
	}
	if say == nil {
		return c.Redirect("/resolve", fiber.StatusSeeOther)
	}

	return s.Done(c, "/resolve", *say)
}
