package answers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
)

// Said is the text of a macro, in the three languages that customers write.
type Said struct {
	EN       string `json:"en"`
	HI       string `json:"hi"`
	Hinglish string `json:"hinglish"`
}

// In is the text in a language; English for any that is not known.
func (s Said) In(lang string) string {
	switch lang {
	case Hindi:
		return s.HI
	case Hinglish:
		return s.Hinglish
	}

	return s.EN
}

// Macro is a message that is sent often, with its guards.
type Macro struct {
	Key   string   `json:"key"`
	Guard string   `json:"guard"` // lead: only a lead sends it; linked: only to somebody who is proved to be who they are; empty for none
	Facts []string `json:"facts"` // the ledger's facts that it stands on; it is refused while one of them is to be checked
	MacroText
	Uses    int     `json:"-"` // sent in the last thirty days
	Edition Edition `json:"-"` // of the platform's words, where these count

	Version int        `json:"-"` // of the business's own words; 0 for the platform's
	Own     bool       `json:"-"` // nothing of the platform's is beneath it
	Under   *MacroText `json:"-"` // the platform's words beneath Version; nil where there are none
	By      string     `json:"-"` // who wrote Version
	At      time.Time  `json:"-"`

	CheckedBy string    `json:"-"` // who last stood by the business's own words
	CheckedAt time.Time `json:"-"`
}

// Languages are those of a macro.
var Languages = []string{English, Hindi, Hinglish}

func (m Macro) check() error {
	for _, text := range []string{m.Key, m.Title.EN, m.Title.HI, m.When.EN, m.When.HI, m.Text.EN, m.Text.HI, m.Text.Hinglish} {
		if strings.TrimSpace(text) == "" {
			return errors.New("a text lacks")
		}
	}
	if !slices.Contains([]string{"", "lead", "linked"}, m.Guard) {
		return fmt.Errorf("no guard %q", m.Guard)
	}
	for _, name := range m.Variables() {
		if !slices.Contains(variables, name) {
			return fmt.Errorf("no variable %q", name)
		}
	}

	return nil
}

// Variables are the names that a macro's texts leave open, besides facts.
func (m Macro) Variables() []string {
	var names []string
	for _, lang := range Languages {
		for _, part := range slot.FindAllStringSubmatch(m.Text.In(lang), -1) {
			if part[1] != "fact" {
				names = union(names, []string{part[1]})
			}
		}
	}

	return names
}

// Typed are the variables that whoever sends the macro gives, at most forty letters each.
func (m Macro) Typed() []string {
	return slices.DeleteFunc(m.Variables(), func(name string) bool { return !slices.Contains(typed, name) })
}

// OneMacro is the macro that ships with a key; ErrNotFound where there is none.
func OneMacro(key string) (Macro, error) {
	lib, err := shipped()
	if err != nil {
		return Macro{}, err
	}
	for _, m := range lib.macros {
		if m.Key == key {
			return m, nil
		}
	}

	return Macro{}, tenants.ErrNotFound
}

// Macros lists them as tx's tenant has them, the built-in ones in their order and then its own, with how often it used each.
func Macros(ctx context.Context, tx *tenants.Tx, now time.Time) ([]Macro, error) {
	lib, err := edited(ctx, tx)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Key string `db:"key"`
		N   int    `db:"n"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT key, sum(n)::int AS n FROM answer_uses WHERE tenant_id = $1 AND kind = 'macro' AND day > $2::date GROUP BY key`, tx.Tenant, now.Add(-usedWithin)); err != nil {
		return nil, fmt.Errorf("count uses of macros: %w", err)
	}
	list, err := addOwn(ctx, tx, lib.macros)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if at := slices.IndexFunc(list, func(m Macro) bool { return m.Key == r.Key }); at >= 0 {
			list[at].Uses = r.N
		}
	}

	return list, nil
}

// To is whom a macro is for.
type To struct {
	Known   bool   // a customer is named at all
	Linked  bool   // it is settled who they are
	Name    string // what they call themselves on the account that is written to
	Contact string // what the business calls them; told to nobody before they are linked
}

// Ready is a macro as it would be sent.
type Ready struct {
	Text    string      // empty unless it may be sent
	Shown   string      // with its open places, to look at
	Missing []string    // variables that have no value
	Refused string      // why it may not be sent: lead, linked, expired, fact_old; empty where it may
	Fact    *facts.Fact // the fact that is to be checked, of fact_old
}

// standing is a card with what a business's own macro stands on.
func (m Macro) standing() Card {
	return Card{Facts: m.Facts, Version: m.Version, At: m.At, CheckedBy: m.CheckedBy, CheckedAt: m.CheckedAt}
}

// DoubtsOf are why a business's own words of a macro are to be checked again, by the rules that hold for cards; none for the platform's words.
func (l Ledger) DoubtsOf(m Macro, now time.Time) []Doubt {
	if m.Version == 0 {
		return nil
	}

	return l.doubts(m.standing(), now)
}

// UntilOf is from when on the business's own words of a macro are to be checked again; zero where nobody did.
func (l Ledger) UntilOf(m Macro) time.Time {
	if m.Version == 0 {
		return time.Time{}
	}
	_, until := l.Verified(m.standing())

	return until
}

// Use fills a macro in. lead: whoever sends it is a lead. vars are the business's own values and the typed ones. A name is only ever the
// one that the customer gave themself, until it is settled who they are.
func (l Ledger) Use(m Macro, lang string, to To, lead bool, vars map[string]string, now time.Time) Ready {
	given := maps.Clone(vars)
	if given == nil {
		given = map[string]string{}
	}
	for _, name := range typed {
		if len([]rune(given[name])) > 40 {
			delete(given, name)
		}
	}
	given["first"] = firstName(to.Name)
	if to.Linked && to.Contact != "" {
		given["first"] = firstName(to.Contact)
	}

	var r Ready
	r.Shown, r.Missing = l.Fill(m.Text.In(lang), lang, given)
	switch {
	case m.Guard == "lead" && !lead:
		r.Refused = "lead"
	case m.Guard == "linked" && to.Known && !to.Linked:
		r.Refused = "linked"
	case m.Edition.Expired(now):
		r.Refused = "expired"
	}
	for _, key := range m.Facts {
		f, ok := l.now[key]
		if ok && !f.Stale(now) {
			continue
		}
		r.Refused, r.Fact = "fact_old", &f
	}
	if r.Refused == "" && len(r.Missing) == 0 && to.Known {
		r.Text = r.Shown
	}

	return r
}

// firstName is the first word of a name, without what is no letter: a profile name may hold anything.
func firstName(name string) string {
	for word := range strings.FieldsSeq(name) {
		word = strings.Trim(word, ".,;:!?*_~`\"'()[]{}<>|")
		if word != "" && len([]rune(word)) <= 30 && !strings.ContainsAny(word, "0123456789०१२३४५६७८९@/{}") {
			return word
		}
	}

	return ""
}
