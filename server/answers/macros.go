package answers

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	pages "github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	inboxpages "github.com/pehchan/pehchan/views/inbox"
)

const (
	macrosFound = 8 // customers that the search of the page shows
)

// MacrosPage lists the macros as one customer would get them.
func (s *Pages) MacrosPage(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	p := pages.Macros{CanAnswer: m.Can("conversations:answer"), CanEdit: m.Can("answers:edit"), Lang: macroLang(c, "lang"), Languages: answers.Languages, Query: c.Query("find")}
	chosen := uuid.Nil
	if value := c.Query("for"); value != "" {
		var err error
		if chosen, err = uuid.Parse(value); err != nil {
			return tenants.ErrNotFound
		}
	}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		var to answers.To
		e := web.Eyes{Clear: m.Can("phones:clear")}
		if chosen != uuid.Nil {
			contact, err := identity.Get(ctx, tx, chosen)
			if err != nil {
				return err
			}
			if to, err = macroTo(ctx, tx, contact, uuid.Nil); err != nil {
				return err
			}
			p.For, p.ForName, p.Linked = contact.ID.String(), e.Label(ctx, contact), to.Linked
		}
		if p.Query != "" {
			found, _, err := identity.List(ctx, tx, p.Query, identity.Page{Limit: macrosFound})
			if err != nil {
				return err
			}
			for _, contact := range found {
				p.Found = append(p.Found, e.Someone(contact))
			}
		}
		ledger, err := answers.Read(ctx, tx)
		if err != nil {
			return err
		}
		own, err := businessWords(ctx, s.Site, tx, m)
		if err != nil {
			return err
		}
		list, err := answers.Macros(ctx, tx, now)
		for _, macro := range list {
			p.Items = append(p.Items, macroView(ctx, macro, ledger, ledger.Use(macro, p.Lang, to, m.Can("macros:lead"), own, now), now))
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "macros.title")

	return s.Show(c, fiber.StatusOK, pages.MacrosPage(p))
}

// macroLang is the language that the address asks for, else the reader's.
func macroLang(c *fiber.Ctx, name string) string {
	if lang := c.Query(name); slices.Contains(answers.Languages, lang) {
		return lang
	}

	return i18n.Lang(c.UserContext())
}

// macroTo is what macros may know of a contact who is written to at an account, or at any where that is not said. It is settled who they are
// when no case about them is open and no phone of theirs is shared.
func macroTo(ctx context.Context, tx *tenants.Tx, contact identity.Contact, account uuid.UUID) (answers.To, error) {
	to := answers.To{Known: true, Contact: contact.DisplayName}
	shared := false
	for _, i := range contact.Identities {
		if account == uuid.Nil && to.Name == "" || i.ID == account {
			to.Name = i.ProfileName
		}
		shared = shared || slices.ContainsFunc(i.Identifiers, func(d identity.Identifier) bool {
			return d.Kind == whatsapp.KindPhone && d.Current && d.Shared
		})
	}
	open, err := identity.OpenCase(ctx, tx, contact.ID)
	to.Linked = open == uuid.Nil && !shared

	return to, err
}

func macroView(ctx context.Context, macro answers.Macro, l answers.Ledger, r answers.Ready, now time.Time) pages.Macro {
	v := pages.Macro{
		Key: macro.Key, Title: macro.Title.In(i18n.Lang(ctx)), When: macro.When.In(i18n.Lang(ctx)), Guard: macro.Guard, NeedsFacts: len(macro.Facts) > 0,
		Text: r.Shown, Missing: r.Missing, Refused: refusedMacro(ctx, r), Ready: r.Text != "", Uses: macro.Uses,
		Own: macro.Own, Version: macro.Version, By: macro.By, At: macro.At,
		Checked: pages.Checked{By: macro.CheckedBy, At: macro.CheckedAt}, Doubts: doubtViews(ctx, l.DoubtsOf(macro, now)),
	}

	return v
}

// refusedMacro is why a macro may not be sent, in words.
func refusedMacro(ctx context.Context, r answers.Ready) string {
	switch {
	case r.Refused == "":
		return ""
	case r.Fact != nil:
		return i18n.T(ctx, "macros.refused_fact_old", "fact", r.Fact.Title(i18n.Lang(ctx)), "date", i18n.Day(ctx, r.Fact.VerifiedOn))
	case r.Refused == "lead":
		return i18n.T(ctx, "macros.refused_lead")
	case r.Refused == "expired":
		return i18n.T(ctx, "macros.refused_expired")
	default:
		return i18n.T(ctx, "macros.refused_linked")
	}
}

// TakeMacro puts the choice of macros into a composer, and the text of the chosen one into its message, if it may go to that account.
func TakeMacro(ctx context.Context, s *web.Site, tx *tenants.Tx, c *fiber.Ctx, m access.Member, contact identity.Contact, to *inboxpages.Composer) error {
	key, now := c.Query("macro"), time.Now()
	to.Macros = &inboxpages.MacroPick{Lang: macroLang(c, "in"), Open: key != ""}
	if key == "" || !web.SafeMethod(c.Method()) {
		return nil
	}
	list, err := answers.Macros(ctx, tx, now)
	if err != nil {
		return err
	}
	to.Macros.Names = []components.Option{{Label: i18n.T(ctx, "macros.none")}}
	for _, macro := range list {
		if macro.Guard != "lead" || m.Can("macros:lead") {
			to.Macros.Names = append(to.Macros.Names, components.Option{Value: macro.Key, Label: macro.Title.In(i18n.Lang(ctx))})
		}
	}
	for _, lang := range answers.Languages {
		to.Macros.Languages = append(to.Macros.Languages, components.Option{Value: lang, Label: i18n.T(ctx, "macros.lang_"+lang)})
	}
	if key == pickMacro {
		return nil
	}
	at := slices.IndexFunc(list, func(macro answers.Macro) bool { return macro.Key == key })
	if at < 0 {
		return tenants.ErrNotFound
	}
	macro := list[at]
	account, err := uuid.Parse(to.Account)
	if err != nil {
		return err
	}
	who, err := macroTo(ctx, tx, contact, account)
	if err != nil {
		return err
	}
	ledger, err := answers.Read(ctx, tx)
	if err != nil {
		return err
	}
	words, err := businessWords(ctx, s, tx, m)
	if err != nil {
		return err
	}
	for _, name := range macro.Typed() {
		words[name] = strings.TrimSpace(c.Query(name))
		to.Macros.Fields = append(to.Macros.Fields, inboxpages.Param{Name: name, Value: words[name]})
	}
	r := ledger.Use(macro, to.Macros.Lang, who, m.Can("macros:lead"), words, now)
	to.Macros.Chosen = macroView(ctx, macro, ledger, r, now)
	if r.Text != "" {
		to.Form.Values = map[string]string{"text": r.Text}
	}

	return nil
}

// pickMacro asks for the choice of macros with none chosen yet.
const pickMacro = "pick"
