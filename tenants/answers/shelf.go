package answers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

// Shelved is a card or macro of the library as the platform's operators keep it: what every business has that wrote no words of its own.
type Shelved struct {
	Kind    string // UsedCard or UsedMacro
	Key     string
	Card    Card    // of a card
	Macro   Macro   // of a macro
	Ships   Wording // what this release has beneath it; zero for a card that operators added
	Edition Edition
	Doubts  []Doubt // why it is to be verified again
	Others  int     // businesses that have words of their own and do not see these
}

// Wording is what it says now.
func (s Shelved) Wording() Wording {
	if s.Kind == UsedMacro {
		return s.Macro.wording()
	}

	return s.Card.wording()
}

// Withdrawn tells whether it was taken from every business.
func (s Shelved) Withdrawn() bool { return s.Edition.Did == Withdrawn }

// Title is a card's question, or what a macro is called.
func (s Shelved) Title() Words {
	if s.Kind == UsedMacro {
		return s.Macro.Title
	}

	return s.Card.Question
}

// Facts are those that it stands on.
func (s Shelved) Facts() []string { return s.Wording().Facts }

// Shelf lists all cards and then all macros in a System transaction, with the ledger they stand on. Of businesses it counts how many have
// words of their own, and reads none.
func Shelf(ctx context.Context, tx *tenants.Tx, now time.Time) ([]Shelved, Ledger, error) {
	l, err := Read(ctx, tx)
	if err != nil {
		return nil, Ledger{}, err
	}
	ships, err := shipped()
	if err != nil {
		return nil, Ledger{}, err
	}
	lib, err := edited(ctx, tx)
	if err != nil {
		return nil, Ledger{}, err
	}
	others, err := countOthers(ctx, tx)
	if err != nil {
		return nil, Ledger{}, err
	}

	var list []Shelved
	for i, c := range lib.cards {
		s := Shelved{Kind: UsedCard, Key: c.Key, Card: c, Edition: c.Edition, Others: others[c.Key]}
		if i < len(ships.cards) {
			s.Ships = ships.cards[i].wording()
		}
		list = append(list, s)
	}
	for _, c := range lib.away {
		list = append(list, Shelved{Kind: UsedCard, Key: c.Key, Card: c, Edition: c.Edition, Others: others[c.Key]})
	}
	for i, m := range lib.macros {
		list = append(list, Shelved{Kind: UsedMacro, Key: m.Key, Macro: m, Ships: ships.macros[i].wording(), Edition: m.Edition, Others: others[m.Key]})
	}
	for i, s := range list {
		if !s.Withdrawn() {
			list[i].Doubts = l.doubts(s.standing(), now)
		}
	}

	return list, l, nil
}

// open is a business that still sees what operators write.
const open = `state NOT IN ('closing', 'erased')`

func countOthers(ctx context.Context, tx *tenants.Tx) (map[string]int, error) {
	var rows []struct {
		Card string `db:"card"`
		N    int    `db:"n"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT o.card, count(*)::int AS n FROM answer_overrides o JOIN tenants t ON t.id = o.tenant_id AND t.`+open+` GROUP BY o.card`); err != nil {
		return nil, fmt.Errorf("count businesses with answers of their own: %w", err)
	}
	n := map[string]int{}
	for _, r := range rows {
		n[r.Card] = r.N
	}

	return n, nil
}

// Reach is whom a change of a card or macro concerns, in businesses that are not closing.
type Reach struct {
	See    int `db:"see"`    // have the platform's words
	Others int `db:"others"` // have words of their own, and see no change
}

// Concerned counts, in a System transaction, whom a change of a card or macro concerns.
func Concerned(ctx context.Context, tx *tenants.Tx, key string) (Reach, error) {
	var r Reach
	if err := tx.GetContext(ctx, &r, `
		SELECT count(*)::int - count(o.card)::int AS see, count(o.card)::int AS others
		FROM tenants t LEFT JOIN answer_overrides o ON o.tenant_id = t.id AND o.card = $1 WHERE t.`+open, key); err != nil {
		return Reach{}, fmt.Errorf("count whom an answer concerns: %w", err)
	}

	return r, nil
}

// OnShelf is the card or macro of Shelf with a key; ErrNotFound where there is none.
func OnShelf(ctx context.Context, tx *tenants.Tx, kind, key string, now time.Time) (Shelved, Ledger, error) {
	list, l, err := Shelf(ctx, tx, now)
	if err != nil {
		return Shelved{}, Ledger{}, err
	}
	at := slices.IndexFunc(list, func(s Shelved) bool { return s.Kind == kind && s.Key == key })
	if at < 0 {
		return Shelved{}, Ledger{}, tenants.ErrNotFound
	}

	return list[at], l, nil
}

// Editions lists what operators did to a card or macro, newest first, at most 100, in a System transaction.
func Editions(ctx context.Context, tx *tenants.Tx, kind, key string) ([]Edition, error) {
	lib, err := shipped()
	if err != nil {
		return nil, err
	}
	ships := Wording{}.digest()
	switch at := lib.find(kind, key); {
	case at >= 0:
		ships = lib.ships(kind, at).digest()
	case !IsAdded(key):
		return nil, tenants.ErrNotFound
	}
	var rows []edition
	if err := tx.SelectContext(ctx, &rows, `
		SELECT `+editionColumns+` FROM library_versions WHERE kind = $1 AND key = $2 ORDER BY version DESC LIMIT $3`, kind, key, mostVersions); err != nil {
		return nil, fmt.Errorf("list versions of %s %s: %w", kind, key, err)
	}
	list := make([]Edition, len(rows))
	for i, row := range rows {
		if list[i], err = row.read(ships); err != nil {
			return nil, err
		}
	}

	return list, nil
}

func (lib library) ships(kind string, at int) Wording {
	if kind == UsedMacro {
		return lib.macros[at].wording()
	}

	return lib.cards[at].wording()
}

// standing is a card with what a card or macro stands on.
func (s Shelved) standing() Card {
	if s.Kind == UsedMacro {
		return Card{Facts: s.Macro.Facts, Edition: s.Macro.Edition}
	}

	return s.Card
}

// Standing is Verified of what operators keep.
func (l Ledger) Standing(s Shelved) (on, until time.Time) { return l.Verified(s.standing()) }
