package audit

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/numbers"
	pages "github.com/pehchan/pehchan/views/audit"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
)

const auditPageSize = 16

// Subjects are the first words of the actions that each filter of the page stands for.
var Subjects = map[string][]string{
	"people":   {"member", "person", "operator", "session", "support"},
	"answers":  {"answer", "macro", "question"},
	"numbers":  {"number", "app", "ingest", "portfolio", "username", "trust"},
	"contacts": {"contact", "link", "merge", "case", "phone", "import", "contacts", "code", "segment"},
	"keys":     {"apikey"},
	"privacy":  {"privacy"},
	"settings": {"tenant", "rule", "start"},
	"training": {"training", "briefing", "escalation"},
}

func (s *Pages) Page(c *fiber.Ctx) error {
	return s.showAudit(c, nil)
}

func (s *Pages) showAudit(c *fiber.Ctx, verified *pages.ChainCheck) error {
	ctx, m := c.UserContext(), web.Member(c)
	about := c.Query("about")
	subjects, known := Subjects[about]
	if !known {
		about = ""
	}
	before, err := strconv.ParseInt(c.Query("before", "0"), 10, 64)
	if err != nil || before < 0 {
		return tenants.ErrNotFound
	}

	var (
		entries []access.JournalEntry
		names   = map[string]string{} // of the business's people, numbers and customers, by id
	)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if entries, err = access.Journal(ctx, tx, m, access.JournalQuery{Before: before, Subjects: subjects, Limit: auditPageSize + 1}); err != nil {
			return err
		}
		if err := nameCustomers(ctx, tx, web.Eyes{Clear: m.Can("phones:clear")}, entries, names); err != nil {
			return err
		}
		colleagues, err := access.Names(ctx, tx)
		if err != nil {
			return err
		}
		maps.Copy(names, colleagues)
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		for _, n := range list {
			names[n.ID.String()] = strings.TrimSpace(components.ClearPhone(n.DisplayPhone) + " " + n.Name)
		}

		return err
	})
	if err != nil {
		return err
	}

	p := pages.Audit{
		Frame: s.Frame(c, "audit.title"), Now: time.Now(), Scope: access.JournalScope(m), About: about,
		CanVerify: m.Can("audit:read_all"), Verified: verified,
	}
	if len(entries) > auditPageSize {
		entries = entries[:auditPageSize]
		p.Next = "/audit?" + url.Values{"about": {about}, "before": {strconv.FormatInt(entries[auditPageSize-1].Seq, 10)}}.Encode()
	}
	for _, e := range entries {
		p.Entries = append(p.Entries, auditEntry(ctx, m, e, names))
	}

	return s.Show(c, fiber.StatusOK, pages.AuditPage(p))
}

// Verify walks the whole chain and says on the page whether it holds.
func (s *Pages) Verify(c *fiber.Ctx) error {
	ctx := c.UserContext()
	var check pages.ChainCheck
	err := s.DB.As(ctx, web.Member(c).Tenant.ID, func(tx *tenants.Tx) error {
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

	return s.showAudit(c, &check)
}

// Row is an entry as a line of a file. No cell is a formula.
func Row(e access.JournalEntry) []string {
	row := []string{strconv.FormatInt(e.Seq, 10), e.At.UTC().Format(time.RFC3339), e.ActorKind, e.ActorName, e.Action, e.ObjectKind, e.ObjectID, e.Detail}
	for i := range row {
		row[i] = imports.Defuse(row[i])
	}

	return row
}

func auditEntry(ctx context.Context, m access.Member, e access.JournalEntry, names map[string]string) pages.Entry {
	view := pages.Entry{Seq: e.Seq, At: e.At, Actor: e.ActorName, Kind: e.ActorKind, Action: e.Action}
	if e.ObjectID != e.ActorID {
		view.Object = e.ObjectName
	}
	link := func(permission, href, words string) {
		if m.Can(permission) {
			view.Object, view.Href = words, href+e.ObjectID
		}
	}
	switch e.ObjectKind {
	case "contact":
		link("contacts:read", "/contacts/", cmp.Or(names[e.ObjectID], i18n.T(ctx, "contacts.open")))
	case "import":
		link("contacts:import", web.UploadPath+"/", i18n.T(ctx, "imports.open"))
	case "number":
		view.Object = names[e.ObjectID]
		link("numbers:read", "/numbers/", view.Object)
	case "case":
		link("queue:read", "/resolve/", i18n.T(ctx, "merge.see_case"))
	case "answer":
		if e.ObjectID != "" {
			link("answers:read", web.AnswersPath+"/", i18n.T(ctx, "answers.see"))
		}
	case "bulk":
		link("queue:read", web.BulkPath+"/", i18n.T(ctx, "bulk.see"))
	case "link":
		link("merges:read", "/merges/", i18n.T(ctx, "merge.see_receipt"))
	case "request":
		link("privacy:read", web.RequestsPath+"/", i18n.T(ctx, "privacy.request"))
	case "incident":
		link("privacy:handle", web.IncidentsPath+"/", i18n.T(ctx, "incident.one"))
	case "rule":
		if slices.Contains(identity.RuleKinds, e.ObjectID) {
			link("rules:read", web.LinksPath+"/", i18n.T(ctx, "rules.name_"+e.ObjectID))
		}
	}

	var detail map[string]any
	if err := json.Unmarshal([]byte(e.Detail), &detail); err != nil {
		return view
	}
	view.Detail = Detail(detail)
	for i, d := range view.Detail {
		view.Detail[i].After = cmp.Or(names[d.After], d.After)
	}

	return view
}

// nameCustomers adds what the customers are called that entries are about or speak of.
func nameCustomers(ctx context.Context, tx *tenants.Tx, e web.Eyes, entries []access.JournalEntry, names map[string]string) error {
	var ids []uuid.UUID
	add := func(id any) {
		if text, ok := id.(string); ok {
			if parsed, err := uuid.Parse(text); err == nil {
				ids = append(ids, parsed)
			}
		}
	}
	for _, entry := range entries {
		if entry.ObjectKind == "contact" {
			add(entry.ObjectID)
		}
		var detail struct{ Contact, Lose any }
		if err := json.Unmarshal([]byte(entry.Detail), &detail); err == nil {
			add(detail.Contact)
			add(detail.Lose)
		}
	}
	people, err := identity.Several(ctx, tx, ids)
	for id, contact := range people {
		names[id.String()] = e.Label(ctx, contact)
	}

	return err
}

// Detail lists what an entry holds besides: what was before and after, then the rest.
func Detail(detail map[string]any) []pages.AuditDetail {
	var list []pages.AuditDetail
	before, after := fields(detail["before"]), fields(detail["after"])
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] {
			list = append(list, pages.AuditDetail{Name: name, Before: before[name], After: after[name]})
		}
	}

	if cases, many := detail["cases"].([]any); many {
		detail["cases"] = float64(len(cases)) // the entry holds their ids, the page counts them
	}
	for _, name := range slices.Sorted(maps.Keys(detail)) {
		if name != "before" && name != "after" {
			list = append(list, pages.AuditDetail{Name: name, After: text(detail[name])})
		}
	}

	return list
}

// fields reads a before or after that is one value, or one of several names.
func fields(v any) map[string]string {
	several, ok := v.(map[string]any)
	if !ok {
		if v == nil {
			return nil
		}

		return map[string]string{"": text(v)}
	}

	found := map[string]string{}
	for name, value := range several {
		found[name] = text(value)
	}

	return found
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any, map[string]any:
		raw, err := json.Marshal(v)
		if err != nil {
			return ""
		}

		return string(raw)
	}

	return fmt.Sprint(v)
}

// Export gives out the audit as a file, and says so in it.
func (s *Pages) Export(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	about := web.Field(c, "about")
	subjects, known := Subjects[about]
	if !known {
		about = ""
	}
	if err := access.RationExport(ctx, s.DB, m.Tenant.ID); err != nil {
		return err
	}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		return tenants.Audit(ctx, tx, tenants.Act{Actor: m.Actor, Action: "audit.export", ObjectKind: "audit", Detail: map[string]any{"about": about}})
	})
	if err != nil {
		return err
	}
	web.CSVAnswer(c, "pehchan-audit-"+time.Now().In(i18n.Zone(ctx)).Format("2006-01-02")+".csv")
	tenant := m.Tenant.ID
	s.StreamCSV(c, func(ctx context.Context, out *csv.Writer, alive func() error) error {
		if err := out.Write([]string{"seq", "at", "actor_kind", "actor", "action", "object_kind", "object", "detail"}); err != nil {
			return err //nolint:wrapcheck // StreamCSV says what it wrote
		}
		for before := int64(0); ; {
			if err := alive(); err != nil {
				return err
			}
			var entries []access.JournalEntry
			err := s.DB.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
				entries, err = access.Journal(ctx, tx, m, access.JournalQuery{Before: before, Subjects: subjects, Limit: 100})
				return err
			})
			if err != nil || len(entries) == 0 {
				return err
			}
			for _, e := range entries {
				before = e.Seq
				if err := out.Write(Row(e)); err != nil {
					return err //nolint:wrapcheck // StreamCSV says what it wrote
				}
			}
			if out.Flush(); out.Error() != nil {
				return out.Error()
			}
		}
	})

	return nil
}
