package answers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
)

// MacroText is what a macro says.
type MacroText struct {
	Title Words `json:"title"`
	When  Words `json:"use"`
	Text  Said  `json:"text"`
}

// Wording is what an operator may change of a built-in card or macro: of either one is set.
type Wording struct {
	Card  *Content   `json:"card,omitempty"`
	Macro *MacroText `json:"macro,omitempty"`
	Facts []string   `json:"facts"` // keys of the ledger; those that the words name come on top
}

// field is one text of a wording, as a form names it.
type field struct{ name, text string }

func (w Wording) fields() []field {
	pair := func(name string, words Words) []field {
		return []field{{name + "_en", words.EN}, {name + "_hi", words.HI}}
	}
	var list []field
	if c := w.Card; c != nil {
		list = slices.Concat(pair("question", c.Question), pair("short", c.Short), pair("long", c.Long), pair("never", c.Never), pair("source", c.Source),
			[]field{{"country", c.Country}, {"asks", strings.Join(c.Asks, "\n")}})
	}
	if m := w.Macro; m != nil {
		list = slices.Concat(pair("title", m.Title), pair("when", m.When), pair("text", Words{m.Text.EN, m.Text.HI}), []field{{"text_hinglish", m.Text.Hinglish}})
	}

	return append(list, field{"facts", strings.Join(slices.Sorted(slices.Values(w.Facts)), "\n")})
}

// digest tells two wordings apart, in this release and the next.
func (w Wording) digest() string {
	h := sha256.New()
	for _, f := range w.fields() {
		h.Write([]byte(f.name + "\x00" + f.text + "\x00"))
	}

	return hex.EncodeToString(h.Sum(nil)[:12])
}

// differs names the fields in which two wordings say something else.
func (w Wording) differs(from Wording) []string {
	was := map[string]string{}
	for _, f := range from.fields() {
		was[f.name] = f.text
	}
	names := []string{}
	for _, f := range w.fields() {
		if was[f.name] != f.text {
			names = append(names, f.name)
		}
	}

	return names
}

// What an operator did to a card or macro.
const (
	Edited   = "edit"
	Verified = "verify"  // its words still hold
	Restored = "restore" // an earlier version counts again

	Added     = "add"      // a card that no release ships
	Withdrawn = "withdraw" // such a card is taken from every business
)

// Edition is a version of the platform's words for a built-in card or macro. The zero Edition is what ships, untouched.
type Edition struct {
	Version    int
	Did        string
	Own        bool       // it has words in place of those that ship
	Moved      bool       // what ships has changed since it was written or looked at
	Changed    []string   // the fields in which it differs from the version before
	VerifiedOn *time.Time // the day its sources were read; nil where nobody did
	ExpiresOn  *time.Time // from this day on it is to be verified again; nil for no such day of its own
	WrittenAt  time.Time
	By         string
	At         time.Time
	Wording    *Wording // nil where what ships counts

	base string // digest of what shipped when it was written or looked at
}

// looked is up to when what happened was known to who verified it last.
func (e Edition) looked() time.Time {
	if e.VerifiedOn == nil {
		return time.Time{}
	}
	if day := e.VerifiedOn.Add(24 * time.Hour); day.Before(e.At) {
		return day
	}

	return e.At
}

// Until is from when on it is to be verified again; zero where nobody verified it.
func (e Edition) Until() time.Time {
	if e.VerifiedOn == nil {
		return time.Time{}
	}
	until := e.VerifiedOn.Add(facts.FreshFor + 24*time.Hour)
	if e.ExpiresOn != nil && e.ExpiresOn.Before(until) {
		return *e.ExpiresOn
	}

	return until
}

// Expired tells whether the day came by which an operator wanted it looked at.
func (e Edition) Expired(now time.Time) bool { return e.ExpiresOn != nil && !now.Before(*e.ExpiresOn) }

// edition is a row of library_versions.
type edition struct {
	Kind       string         `db:"kind"`
	Key        string         `db:"key"`
	Version    int            `db:"version"`
	Did        string         `db:"did"`
	Content    []byte         `db:"content"`
	Base       string         `db:"base"`
	Changed    pq.StringArray `db:"changed"`
	VerifiedOn *time.Time     `db:"verified_on"`
	ExpiresOn  *time.Time     `db:"expires_on"`
	WrittenAt  time.Time      `db:"written_at"`
	ByName     string         `db:"by_name"`
	At         time.Time      `db:"at"`
}

const editionColumns = `kind, key, version, did, content, base, changed, verified_on, expires_on, written_at, by_name, at`

// read is the row as an Edition. ships is the digest of what this release has.
func (e edition) read(ships string) (Edition, error) {
	out := Edition{
		Version: e.Version, Did: e.Did, Own: e.Content != nil, Moved: e.Content != nil && e.Base != ships, Changed: e.Changed,
		VerifiedOn: e.VerifiedOn, ExpiresOn: e.ExpiresOn, WrittenAt: e.WrittenAt, By: e.ByName, At: e.At, base: e.Base,
	}
	if e.Content == nil {
		return out, nil
	}
	out.Wording = &Wording{}
	if err := json.Unmarshal(e.Content, out.Wording); err != nil {
		return Edition{}, fmt.Errorf("read the words of %s %s: %w", e.Kind, e.Key, err)
	}

	return out, nil
}

// edited are the cards and macros of this release with the operators' words in place of those that ship, and the cards that operators added.
func edited(ctx context.Context, tx *tenants.Tx) (library, error) {
	lib, err := shipped()
	if err != nil {
		return library{}, err
	}
	var rows []edition
	if err := tx.SelectContext(ctx, &rows, `
		SELECT DISTINCT ON (kind, key) `+editionColumns+` FROM library_versions ORDER BY kind, key, version DESC`); err != nil {
		return library{}, fmt.Errorf("list the operators' words: %w", err)
	}
	lib.cards, lib.macros = slices.Clone(lib.cards), slices.Clone(lib.macros)
	for _, row := range rows {
		switch at := lib.find(row.Kind, row.Key); {
		case IsAdded(row.Key):
			c, err := addedCard(row)
			if err != nil {
				return library{}, err
			}
			if row.Did == Withdrawn {
				lib.away = append(lib.away, c)
			} else {
				lib.cards = append(lib.cards, c)
			}
		case at < 0: // this release has it no more
		case row.Kind == UsedMacro:
			m := &lib.macros[at]
			if m.Edition, err = row.read(m.wording().digest()); err != nil {
				return library{}, err
			}
			if w := m.Edition.Wording; w != nil && w.Macro != nil {
				m.MacroText, m.Facts = *w.Macro, w.facts()
			}
		default:
			c := &lib.cards[at]
			if c.Edition, err = row.read(c.wording().digest()); err != nil {
				return library{}, err
			}
			if w := c.Edition.Wording; w != nil && w.Card != nil {
				c.Content, c.Facts = *w.Card, w.facts()
			}
		}
	}

	return lib, nil
}

// find is where a card or macro stands among its kind; -1 where there is none.
func (lib library) find(kind, key string) int {
	if kind == UsedMacro {
		return slices.IndexFunc(lib.macros, func(m Macro) bool { return m.Key == key })
	}

	return slices.IndexFunc(lib.cards, func(c Card) bool { return kind == UsedCard && c.Key == key })
}

// facts are those that a wording stands on: the given ones, and those that its words name.
func (w Wording) facts() []string {
	keys := slices.Clone(w.Facts)
	if w.Card != nil {
		keys = union(keys, w.Card.named())
	}
	if w.Macro != nil {
		keys = union(keys, factsIn(w.Macro.Text.EN, w.Macro.Text.HI, w.Macro.Text.Hinglish))
	}

	return keys
}

func (c Card) wording() Wording {
	content := c.Content

	return Wording{Card: &content, Facts: c.Facts}
}

func (m Macro) wording() Wording {
	text := m.MacroText

	return Wording{Macro: &text, Facts: m.Facts}
}
