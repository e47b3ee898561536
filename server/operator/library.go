package operator

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/training/content"
	answerspages "github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/operator"
)

// libraryStates are the filters of the library.
var libraryStates = []string{"verify", "expired", "edited", "added", "moved", "others", "withdrawn"}

// isIn tells whether a card or macro is what a filter asks for.
func isIn(state string, s answers.Shelved, now time.Time) bool {
	if s.Withdrawn() {
		return state == "" || state == "withdrawn"
	}
	switch state {
	case "withdrawn":
		return false
	case "added":
		return answers.IsAdded(s.Key)
	case "verify":
		return len(s.Doubts) > 0
	case "expired":
		return s.Edition.Expired(now)
	case "edited":
		return s.Edition.Own && !answers.IsAdded(s.Key)
	case "moved":
		return s.Edition.Moved
	case "others":
		return s.Others > 0
	}

	return true
}

// speaksOf tells whether a card or macro holds every word of a query, in either language, or has it for a key.
func speaksOf(s answers.Shelved, query string) bool {
	said := []string{s.Key}
	for _, text := range libraryTexts(answers.Ledger{}, s.Wording()) {
		for _, part := range text.Parts {
			said = append(said, part.Text)
		}
	}
	all := strings.ToLower(strings.Join(append(said, s.Card.Asks...), "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(all, word) {
			return false
		}
	}

	return true
}

// LibraryPage lists the built-in cards and macros, as operators keep them.
func (s *Pages) LibraryPage(c *fiber.Ctx) error {
	now := time.Now()
	p := pages.Library{Query: strings.TrimSpace(c.Query("q")), Kind: c.Query("kind"), State: c.Query("state"), States: libraryStates}
	from, err := web.From(c, "from")
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"", answers.UsedCard, answers.UsedMacro}, p.Kind) || p.State != "" && !slices.Contains(libraryStates, p.State) || len(p.Query) > 1000 {
		return tenants.ErrNotFound
	}
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) error {
		p.CanWrite = m.Can("op:write")
		list, ledger, err := answers.Shelf(ctx, tx, now)
		for _, entry := range list {
			if len(entry.Doubts) > 0 {
				p.Verify++
			}
			if p.Kind != "" && entry.Kind != p.Kind || !isIn(p.State, entry, now) || !speaksOf(entry, p.Query) {
				continue
			}
			p.Found++
			if p.Found <= from || len(p.Items) == opPageSize/2 {
				continue
			}
			on, _ := ledger.Standing(entry)
			p.Items = append(p.Items, pages.LibraryRow{
				Kind: entry.Kind, Key: entry.Key, Title: entry.Title().In(i18n.Lang(ctx)), Audience: entry.Card.Audience, Edited: entry.Edition.Own,
				Added: answers.IsAdded(entry.Key), Withdrawn: entry.Withdrawn(),
				Moved: entry.Edition.Moved, Doubtful: len(entry.Doubts) > 0, Expired: entry.Edition.Expired(now), Others: entry.Others, Verified: on,
			})
		}

		return err
	})
	if err != nil {
		return err
	}
	if next := from + len(p.Items); next < p.Found {
		p.Next = web.OpLibraryPath + "?" + url.Values{"q": {p.Query}, "kind": {p.Kind}, "state": {p.State}, "from": {strconv.Itoa(next)}}.Encode()
	}
	p.Frame = s.Frame(c, "library.title")

	return s.Show(c, fiber.StatusOK, pages.LibraryPage(p))
}

// LibraryCardPage shows a card or macro, its history, and the form that changes it.
func (s *Pages) LibraryCardPage(c *fiber.Ctx) error {
	return s.showShelved(c, fiber.StatusOK, pages.LibraryCard{})
}

// showShelved shows a card or macro. p holds a form that came back, or what it would do.
func (s *Pages) showShelved(c *fiber.Ctx, status int, p pages.LibraryCard) error {
	now := time.Now()
	p.Kind, p.Key = c.Params("kind"), c.Params("key")
	err := s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) error {
		entry, ledger, err := answers.OnShelf(ctx, tx, p.Kind, p.Key, now)
		if err != nil {
			return err
		}
		fillShelved(ctx, &p, entry, ledger, now)
		p.CanWrite, p.Today = m.Can("op:write"), now.UTC().Format(time.DateOnly)
		if p.Form.Values == nil {
			p.Form.Values = libraryForm(entry, p.Today)
		}
		if p.Preview == nil {
			if p.Reach, err = reachOf(ctx, tx, entry, entry.Facts(), now); err != nil {
				return err
			}
		}
		history, err := answers.Editions(ctx, tx, p.Kind, p.Key)
		for _, e := range history {
			v := pages.LibraryVersion{Version: e.Version, Did: e.Did, Ships: e.Wording == nil, Changed: e.Changed, By: e.By, At: e.At, Current: e.Version == entry.Edition.Version}
			if e.Wording != nil {
				v.Texts = libraryTexts(ledger, *e.Wording)
			}
			p.History = append(p.History, v)
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "library.title")
	p.Frame.Title = p.Title
	p.Frame.Path = web.OpLibraryPath + "/" + p.Kind + "/" + p.Key

	return s.Show(c, status, pages.LibraryCardPage(p))
}

func fillShelved(ctx context.Context, p *pages.LibraryCard, s answers.Shelved, ledger answers.Ledger, now time.Time) {
	lang := i18n.Lang(ctx)
	p.Title, p.Audience, p.Country, p.Guard = s.Title().In(lang), s.Card.Audience, s.Card.Country, s.Macro.Guard
	p.Texts, p.Version, p.Moved, p.By, p.At = libraryTexts(ledger, s.Wording()), s.Edition.Version, s.Edition.Moved, s.Edition.By, s.Edition.At
	p.Added, p.Gone = answers.IsAdded(s.Key), s.Withdrawn()
	p.Edited = s.Edition.Own && !p.Added
	if p.Edited {
		p.Ships = libraryTexts(ledger, s.Ships)
	}
	p.Verified, p.Until = ledger.Standing(s)
	for _, key := range s.Facts() {
		if f, ok := ledger.Fact(key); ok {
			p.Facts = append(p.Facts, web.FactView(ctx, f, now))
		}
	}
	for _, d := range s.Doubts {
		p.Doubts = append(p.Doubts, answerspages.AnswerDoubt{Code: d.Code, Title: d.Fact.Title(lang), Since: d.Since})
	}
}

// libraryTexts are words in each of their languages, with the facts of the ledger filled in. What is a business's own stays open.
func libraryTexts(ledger answers.Ledger, w answers.Wording) []pages.LibraryText {
	var list []pages.LibraryText
	for _, lang := range answers.Languages {
		text := pages.LibraryText{Lang: lang}
		add := func(name, words string) {
			if words == "" {
				return
			}
			filled, _ := ledger.Fill(words, lang, nil)
			text.Parts = append(text.Parts, pages.LibraryPart{Name: name, Text: filled})
		}
		if c := w.Card; c != nil && lang != answers.Hinglish {
			add("question", c.Question.In(lang))
			add("short", c.Short.In(lang))
			add("long", c.Long.In(lang))
			add("never", c.Never.In(lang))
			add("source", c.Source.In(lang))
		}
		if m := w.Macro; m != nil {
			if lang != answers.Hinglish {
				add("title", m.Title.In(lang))
				add("when", m.When.In(lang))
			}
			add("text", m.Text.In(lang))
		}
		if len(text.Parts) > 0 {
			list = append(list, text)
		}
	}

	return list
}

// reachOf counts whom and what a change of a card or macro concerns that stands on some facts.
func reachOf(ctx context.Context, tx *tenants.Tx, s answers.Shelved, facts []string, now time.Time) (r pages.LibraryReach, err error) {
	concerned, err := answers.Concerned(ctx, tx, s.Key)
	if err != nil {
		return r, err
	}
	r.See, r.Others = concerned.See, concerned.Others
	bank, err := content.Shipped()
	if err != nil {
		return r, err
	}
	r.Lessons, r.Items, r.Drills = bank.Resting(facts)
	list, _, err := answers.Shelf(ctx, tx, now)
	for _, other := range list {
		if other.Kind == answers.UsedMacro && (s.Kind != other.Kind || s.Key != other.Key) &&
			slices.ContainsFunc(other.Facts(), func(key string) bool { return slices.Contains(facts, key) }) {
			r.Macros++
		}
	}

	return r, err
}

// libraryForm is a card or macro as its form shows it.
func libraryForm(s answers.Shelved, today string) map[string]string {
	form := map[string]string{"version": strconv.Itoa(s.Edition.Version), "facts": strings.Join(s.Facts(), "\n"), "verified_on": today}
	put := func(name string, words answers.Words) { form[name+"_en"], form[name+"_hi"] = words.EN, words.HI }
	if s.Kind == answers.UsedMacro {
		put("title", s.Macro.Title)
		put("when", s.Macro.When)
		put("text", answers.Words{EN: s.Macro.Text.EN, HI: s.Macro.Text.HI})
		form["text_hinglish"] = s.Macro.Text.Hinglish
	} else {
		put("question", s.Card.Question)
		put("short", s.Card.Short)
		put("long", s.Card.Long)
		put("never", s.Card.Never)
		put("source", s.Card.Source)
		form["country"], form["asks"] = s.Card.Country, strings.Join(s.Card.Asks, "\n")
	}
	if e := s.Edition.ExpiresOn; e != nil {
		form["expires_on"] = e.Format(time.DateOnly)
	}

	return form
}

// typedWording reads the form of a card or macro.
func typedWording(c *fiber.Ctx, kind string) answers.Wording {
	text := func(name string) string { return strings.ReplaceAll(web.Field(c, name), "\r\n", "\n") }
	words := func(name string) answers.Words { return answers.Words{EN: text(name + "_en"), HI: text(name + "_hi")} }
	lines := func(name string) (list []string) {
		for line := range strings.Lines(text(name)) {
			if line = strings.TrimSpace(line); line != "" {
				list = append(list, line)
			}
		}

		return list
	}
	w := answers.Wording{Facts: lines("facts")}
	if kind == answers.UsedMacro {
		said := words("text")
		w.Macro = &answers.MacroText{Title: words("title"), When: words("when"), Text: answers.Said{EN: said.EN, HI: said.HI, Hinglish: text("text_hinglish")}}
	} else {
		w.Card = &answers.Content{
			Country: strings.ToUpper(web.Field(c, "country")), Question: words("question"), Short: words("short"), Long: words("long"), Never: words("never"),
			Source: words("source"), Asks: lines("asks"),
		}
	}

	return w
}

// typedRevision reads the form of a card or macro with its days.
func typedRevision(c *fiber.Ctx, kind, key string, version int) (answers.Revision, error) {
	in := answers.Revision{Kind: kind, Key: key, Version: version, Wording: typedWording(c, kind)}
	var err error
	in.VerifiedOn, in.ExpiresOn, err = typedDays(c)

	return in, err
}

// ChangeLibrary says what a change of a card or macro would do, makes it, notes that it was verified today, or takes earlier words back.
func (s *Pages) ChangeLibrary(c *fiber.Ctx) error {
	kind, key, now := c.Params("kind"), c.Params("key"), time.Now()
	version, err := strconv.Atoi(web.Field(c, "version"))
	if err != nil {
		version = -1 // refused as out of date
	}
	var said string
	var preview *pages.LibraryPreview
	var reach pages.LibraryReach
	fields := pages.LibraryFields(kind)
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) error {
		switch web.Field(c, "do") {
		case "verify":
			said, fields = "library.verified", nil
			return answers.Vouch(ctx, tx, m.Actor, kind, key, version, now)
		case "restore":
			said, fields = "library.restored", nil
			to, err := strconv.Atoi(web.Field(c, "to"))
			if err != nil {
				return tenants.ErrNotFound
			}
			return answers.Return(ctx, tx, m.Actor, kind, key, version, to, now)
		case "withdraw":
			said, fields = "library.taken_away", nil
			return answers.Withdraw(ctx, tx, m.Actor, key, version, now)
		}
		entry, ledger, err := answers.OnShelf(ctx, tx, kind, key, now)
		if err != nil {
			return err
		}
		in, err := typedRevision(c, kind, key, version)
		if err != nil {
			return err
		}
		switch web.Field(c, "do") {
		case "save":
			said = "library.saved"
			_, err = answers.Revise(ctx, tx, m.Actor, in, now)
		case "preview":
			var e answers.Edition
			if e, _, err = answers.Try(ctx, tx, in, now); err == nil {
				preview, reach, err = previewOf(ctx, tx, entry, ledger, e, now)
			}
		}

		return err
	})
	if form, ok := web.Refilled(c, err, fields...); ok {
		if fields == nil {
			form.Values = nil
		}
		wrongFields(form, err)
		return s.showShelved(c, web.Classify(err).Status, pages.LibraryCard{Form: form})
	}
	if err != nil {
		return err
	}
	if said != "" {
		return s.Done(c, web.OpLibraryPath+"/"+kind+"/"+key, web.Flash{Key: said})
	}

	return s.showShelved(c, fiber.StatusOK, pages.LibraryCard{Form: web.Typed(c, fields...), Preview: preview, Reach: reach})
}

func previewOf(ctx context.Context, tx *tenants.Tx, s answers.Shelved, ledger answers.Ledger, e answers.Edition, now time.Time) (*pages.LibraryPreview, pages.LibraryReach, error) {
	words := s.Ships
	if e.Wording != nil {
		words = *e.Wording
	}
	reach, err := reachOf(ctx, tx, s, words.Facts, now)

	return &pages.LibraryPreview{Texts: libraryTexts(ledger, words), Changed: e.Changed, Ships: e.Wording == nil}, reach, err
}

// wrongFields marks every field that was refused, where several were at once.
func wrongFields(form components.Filled, err error) {
	var list interface{ Unwrap() []error }
	if !errors.As(err, &list) {
		return
	}
	for _, one := range list.Unwrap() {
		if invalid := (*tenants.Invalid)(nil); errors.As(one, &invalid) && form.Wrong[invalid.Field] == "" {
			form.Wrong[invalid.Field] = invalid.Key
		}
	}
}
