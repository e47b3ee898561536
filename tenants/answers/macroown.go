package answers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// macroVersion is a row of macro_versions.
type macroVersion struct {
	Macro        string    `db:"macro"`
	Version      int       `db:"version"`
	Removed      bool      `db:"removed"`
	Guard        string    `db:"guard"`
	TitleEN      string    `db:"title_en"`
	TitleHI      string    `db:"title_hi"`
	WhenEN       string    `db:"when_en"`
	WhenHI       string    `db:"when_hi"`
	TextEN       string    `db:"text_en"`
	TextHI       string    `db:"text_hi"`
	TextHinglish string    `db:"text_hinglish"`
	ByName       string    `db:"by_name"`
	At           time.Time `db:"at"`
}

const macroColumns = `macro, version, removed, guard, title_en, title_hi, when_en, when_hi, text_en, text_hi, text_hinglish, by_name, at`

func (v macroVersion) text() MacroText {
	return MacroText{
		Title: Words{v.TitleEN, v.TitleHI}, When: Words{v.WhenEN, v.WhenHI}, Text: Said{EN: v.TextEN, HI: v.TextHI, Hinglish: v.TextHinglish},
	}
}

// addOwn puts the business's own words in place of the platform's, and its own macros after them.
func addOwn(ctx context.Context, tx *tenants.Tx, list []Macro) ([]Macro, error) {
	var written []macroVersion
	if err := tx.SelectContext(ctx, &written, `
		SELECT DISTINCT ON (macro) `+macroColumns+` FROM macro_versions WHERE tenant_id = $1 ORDER BY macro, version DESC`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list a business's macros: %w", err)
	}
	slices.SortStableFunc(written, func(a, b macroVersion) int {
		return strings.Compare(strings.ToLower(a.TitleEN), strings.ToLower(b.TitleEN))
	})
	checked, err := checks(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, v := range written {
		if v.Removed {
			continue
		}
		at := slices.IndexFunc(list, func(m Macro) bool { return m.Key == v.Macro })
		if at < 0 {
			if !strings.HasPrefix(v.Macro, ownKey) {
				continue // this release has it no more
			}
			list, at = append(list, Macro{Key: v.Macro, Guard: v.Guard, Own: true}), len(list)
		} else {
			under := list[at].MacroText
			list[at].Under = &under
		}
		m := &list[at]
		m.MacroText, m.Version, m.By, m.At = v.text(), v.Version, v.ByName, v.At
		check := checked[words{m.Key, m.Version}]
		m.CheckedBy, m.CheckedAt = check.By, check.At
		m.Edition = Edition{} // what operators did to words that are not sent
		m.Facts = union(m.Facts, factsIn(m.Text.EN, m.Text.HI, m.Text.Hinglish))
	}

	return list, nil
}

// MacroBy is the macro of Macros with a key; ErrNotFound where tx's tenant has none.
func MacroBy(ctx context.Context, tx *tenants.Tx, key string, now time.Time) (Macro, error) {
	list, err := Macros(ctx, tx, now)
	if err != nil {
		return Macro{}, err
	}
	at := slices.IndexFunc(list, func(m Macro) bool { return m.Key == key })
	if at < 0 {
		return Macro{}, tenants.ErrNotFound
	}

	return list[at], nil
}

// MacroVersion is a past or present text of a macro.
type MacroVersion struct {
	MacroText
	Guard   string
	Version int
	Removed bool // from here on the built-in text counted again
	By      string
	At      time.Time
}

// MacroVersions lists what tx's tenant wrote on a macro, newest first, at most a hundred.
func MacroVersions(ctx context.Context, tx *tenants.Tx, key string) ([]MacroVersion, error) {
	var rows []macroVersion
	if err := tx.SelectContext(ctx, &rows, `
		SELECT `+macroColumns+` FROM macro_versions WHERE tenant_id = $1 AND macro = $2 ORDER BY version DESC LIMIT $3`, tx.Tenant, key, mostVersions); err != nil {
		return nil, fmt.Errorf("list versions of a macro: %w", err)
	}
	list := make([]MacroVersion, len(rows))
	for i, v := range rows {
		list[i] = MacroVersion{MacroText: v.text(), Guard: v.Guard, Version: v.Version, Removed: v.Removed, By: v.ByName, At: v.At}
	}

	return list, nil
}

// MacroEdit is a business's own text for a macro. An empty Key makes a new one, of which alone Guard counts: that of a built-in one stays.
// Version is the newest one that the writer saw, 0 for none.
type MacroEdit struct {
	Key     string
	Version int
	Guard   string
	MacroText
}

// SaveMacro adds a version of a macro and returns its key. Conflict "answer_changed" where a colleague was quicker, "too_many_macros"; Invalid
// where a language lacks, a mark cannot be filled in, or the words ask for a code.
func SaveMacro(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in MacroEdit, now time.Time) (string, error) {
	l, err := Read(ctx, tx)
	if err != nil {
		return "", err
	}
	if err := in.check(l); err != nil {
		return "", err
	}
	if in.Key == "" {
		if err := tenants.Within(ctx, tx, tenants.QuotaMacros); err != nil {
			return "", err
		}
		in.Key, in.Version = ownKey+strings.ReplaceAll(uuid.NewString(), "-", "")[:12], 0

		return in.Key, in.add(ctx, tx, actor, false)
	}
	m, err := MacroBy(ctx, tx, in.Key, now)
	if err != nil {
		return "", err
	}
	if !m.Own {
		in.Guard = m.Guard
	}

	return in.Key, in.add(ctx, tx, actor, false)
}

// check refuses words that may not be sent.
func (in MacroEdit) check(l Ledger) error {
	if faults := in.MacroText.check(); len(faults) > 0 {
		return faults[0]
	}
	if !slices.Contains([]string{"", "lead", "linked"}, in.Guard) {
		return &tenants.Invalid{Field: "guard", Key: "choice"}
	}
	if !strings.ContainsFunc(in.Text.HI, func(r rune) bool { return unicode.Is(unicode.Devanagari, r) }) && len(factsIn(in.Text.HI)) == 0 {
		return &tenants.Invalid{Field: "text_hi", Key: "macro_hindi"}
	}
	bank, err := content.Shipped()
	if err != nil {
		return err
	}
	for _, text := range []struct{ field, said string }{{"text_en", in.Text.EN}, {"text_hi", in.Text.HI}, {"text_hinglish", in.Text.Hinglish}} {
		for _, key := range factsIn(text.said) {
			if _, ok := l.now[key]; !ok {
				return &tenants.Invalid{Field: text.field, Key: "answer_fact"}
			}
		}
		if bank.Breaks(content.AsksOTP, text.said) {
			return &tenants.Invalid{Field: text.field, Key: "macro_code"}
		}
	}

	return nil
}

// add writes the next version of a macro.
func (in MacroEdit) add(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, removed bool) error {
	var last int
	if err := tx.GetContext(ctx, &last, `SELECT coalesce(max(version), 0) FROM macro_versions WHERE tenant_id = $1 AND macro = $2`, tx.Tenant, in.Key); err != nil {
		return fmt.Errorf("read the version of a macro: %w", err)
	}
	if last != in.Version {
		return &tenants.Conflict{Code: "answer_changed"}
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO macro_versions (tenant_id, macro, version, removed, guard, title_en, title_hi, when_en, when_hi, text_en, text_hi, text_hinglish, by_person, by_name)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		tx.Tenant, in.Key, last+1, removed, in.Guard, in.Title.EN, in.Title.HI, in.When.EN, in.When.HI, in.Text.EN, in.Text.HI, in.Text.Hinglish, actor.ID, actor.Name)
	if tenants.Violates(err, "macro_versions_pkey") {
		return &tenants.Conflict{Code: "answer_changed"}
	}
	if err != nil {
		return fmt.Errorf("write a macro: %w", err)
	}
	if !strings.HasPrefix(in.Key, ownKey) {
		if err := override(ctx, tx, in.Key, !removed); err != nil {
			return err
		}
	}
	action := "macro.edit"
	if removed {
		action = "macro.restore"
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: action, ObjectKind: "macro", ObjectID: in.Key, Detail: map[string]any{"version": last + 1},
	})
}

// RestoreMacro lets the platform's text of a macro count again, or takes the business's own macro away. What was written stays in its history.
// seen is the newest version that the person saw.
func RestoreMacro(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, key string, seen int, now time.Time) error {
	m, err := MacroBy(ctx, tx, key, now)
	if err != nil {
		return err
	}
	if m.Version == 0 {
		return tenants.ErrNotFound
	}

	return MacroEdit{Key: key, Version: seen, Guard: m.Guard, MacroText: m.MacroText}.add(ctx, tx, actor, true)
}
