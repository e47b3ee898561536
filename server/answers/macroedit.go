package answers

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/answers"
	pages "github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
)

var macroFields = []string{"version", "guard", "title_en", "title_hi", "when_en", "when_hi", "text_en", "text_hi", "text_hinglish"}

// NewMacroPage is the editor of a new macro.
func (s *Pages) NewMacroPage(c *fiber.Ctx) error {
	return s.showMacroEdit(c, fiber.StatusOK, "", components.Filled{Values: map[string]string{"version": "0"}})
}

// EditMacroPage is the editor of a macro, as it stands or, with ?from=, as a version of it was, with its history.
func (s *Pages) EditMacroPage(c *fiber.Ctx) error {
	return s.showMacroEdit(c, fiber.StatusOK, c.Params("id"), components.Filled{})
}

// showMacroEdit shows the editor. form is what came back; without values, or with no text of them, it is filled with the macro's words.
func (s *Pages) showMacroEdit(c *fiber.Ctx, status int, key string, form components.Filled) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	p := pages.MacroEdit{Key: key, Form: form}
	title := "macros.new"
	if key != "" {
		title = "macros.edit"
		err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
			macro, err := answers.MacroBy(ctx, tx, key, now)
			if err != nil {
				return err
			}
			history, err := answers.MacroVersions(ctx, tx, key)
			if err != nil {
				return err
			}
			text, newest := macro.MacroText, 0
			for i, v := range history {
				if i == 0 {
					newest = v.Version
				}
				if c.Query("from") == strconv.Itoa(v.Version) {
					text = v.MacroText
				}
				p.History = append(p.History, pages.MacroVersion{
					Version: v.Version, Removed: v.Removed, By: v.By, At: v.At, Text: v.Text.In(i18n.Lang(ctx)), Current: v.Version == macro.Version,
				})
			}
			p.Own, p.Version, p.Guard = macro.Own, macro.Version, macro.Guard
			ledger, err := answers.Read(ctx, tx)
			if err != nil {
				return err
			}
			p.Checked = pages.Checked{By: macro.CheckedBy, At: macro.CheckedAt, Until: ledger.UntilOf(macro)}
			p.Doubts = doubtViews(ctx, ledger.DoubtsOf(macro, now))
			if macro.Under != nil {
				p.Under = []pages.MacroWords{
					{Lang: answers.English, Text: macro.Under.Text.EN}, {Lang: answers.Hindi, Text: macro.Under.Text.HI}, {Lang: answers.Hinglish, Text: macro.Under.Text.Hinglish},
				}
			}
			if _, typed := form.Values["text_en"]; !typed {
				p.Form.Values = macroForm(text, macro.Guard, newest)
			}

			return nil
		})
		if err != nil {
			return err
		}
	}
	p.Frame = s.Frame(c, title)
	p.Frame.Path = web.MacrosPath + "/new"
	if key != "" {
		p.Frame.Path = web.MacrosPath + "/" + key + "/edit"
	}

	return s.Show(c, status, pages.MacroEditPage(p))
}

func macroForm(m answers.MacroText, guard string, version int) map[string]string {
	return map[string]string{
		"version": strconv.Itoa(version), "guard": guard, "title_en": m.Title.EN, "title_hi": m.Title.HI, "when_en": m.When.EN, "when_hi": m.When.HI,
		"text_en": m.Text.EN, "text_hi": m.Text.HI, "text_hinglish": m.Text.Hinglish,
	}
}

func (s *Pages) AddMacro(c *fiber.Ctx) error { return s.saveMacro(c, "") }

func (s *Pages) EditMacro(c *fiber.Ctx) error { return s.saveMacro(c, c.Params("id")) }

// saveMacro keeps the business's own words of a macro, a new one where key is empty.
func (s *Pages) saveMacro(c *fiber.Ctx, key string) error {
	ctx, m := c.UserContext(), web.Member(c)
	text := func(name string) string {
		return strings.TrimSpace(strings.ReplaceAll(web.Field(c, name), "\r\n", "\n"))
	}
	words := func(name string) answers.Words { return answers.Words{EN: text(name + "_en"), HI: text(name + "_hi")} }
	said := words("text")
	in := answers.MacroEdit{Key: key, Guard: web.Field(c, "guard"), MacroText: answers.MacroText{
		Title: words("title"), When: words("when"), Text: answers.Said{EN: said.EN, HI: said.HI, Hinglish: text("text_hinglish")},
	}}
	var err error
	if in.Version, err = strconv.Atoi(web.Field(c, "version")); err != nil {
		in.Version = -1 // refused as out of date
	}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		in.Key, err = answers.SaveMacro(ctx, tx, m.Actor, in, time.Now())
		return err
	})
	if form, refused := web.Refilled(c, err, macroFields...); refused {
		return s.showMacroEdit(c, web.Classify(err).Status, key, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.MacrosPath+"#macro-"+in.Key, web.Flash{Key: "toast.macro_saved"})
}

// CheckMacro notes that the member stands by the business's own words of a macro.
func (s *Pages) CheckMacro(c *fiber.Ctx) error {
	return s.changeMacro(c, "/"+c.Params("id")+"/edit", "toast.answer_checked", answers.CheckMacro)
}

// RestoreMacro takes the business's own words of a macro back.
func (s *Pages) RestoreMacro(c *fiber.Ctx) error {
	return s.changeMacro(c, "", "toast.macro_restored", answers.RestoreMacro)
}

// changeMacro does something to the version of a macro that its reader saw, and goes on to a page below the list.
func (s *Pages) changeMacro(c *fiber.Ctx, to, said string, change func(context.Context, *tenants.Tx, tenants.Actor, string, int, time.Time) error) error {
	ctx, m, key := c.UserContext(), web.Member(c), c.Params("id")
	seen, err := strconv.Atoi(web.Field(c, "version"))
	if err != nil {
		seen = -1 // of no version: refused as out of date
	}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return change(ctx, tx, m.Actor, key, seen, time.Now()) })
	if code := tenants.ConflictCode(err); code != "" {
		return s.showMacroEdit(c, web.Classify(err).Status, key, components.Filled{Failed: code})
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.MacrosPath+to, web.Flash{Key: said})
}
