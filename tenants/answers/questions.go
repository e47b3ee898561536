package answers

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Where a question was noted.
const (
	FromContact    = "contact"
	FromSearch     = "search"
	FromEscalation = "escalation"
)

// Question is something that was asked. Who asked is not kept.
type Question struct {
	ID     uuid.UUID `db:"id"`
	Text   string    `db:"text"`
	Card   string    `db:"card"`   // the answer that a person said it has
	Lesson string    `db:"lesson"` // what who noted it learnt; mostly empty
	By     string    `db:"by_name"`
	At     time.Time `db:"at"`
}

const (
	mostText      = 300
	askedWithin   = 180 * 24 * time.Hour
	mostQuestions = 1000
)

var (
	mails   = regexp.MustCompile(`\S+@\S+\.\S+`)
	sites   = regexp.MustCompile(`(?i)\b(?:https?://|www\.)\S+`)
	handles = regexp.MustCompile(`@[\pL\pN._]{2,}`)
	// digitRuns are five digits and more, in either script, however they are set apart.
	digitRuns = regexp.MustCompile(`\+?[0-9०-९](?:[ ().\-]{0,2}[0-9०-९]){4,}`)
)

const hidden = "•••"

// Mask takes out of a question what would tell who asked: numbers of five digits and more, e-mail and web addresses, @names, and the
// names given.
func Mask(text string, names ...string) string {
	text = mask(text, names)
	if short := []rune(text); len(short) > mostText {
		return string(short[:mostText])
	}

	return text
}

// mask is Mask without a measure.
func mask(text string, names []string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, pattern := range []*regexp.Regexp{mails, sites, handles, digitRuns} {
		text = pattern.ReplaceAllString(text, hidden)
	}
	var own []string
	for _, name := range names {
		for _, word := range wordsOf(name) {
			if utf8.RuneCountInString(word) > 2 {
				own = append(own, word)
			}
		}
	}
	words := strings.Split(text, " ")
	for i, word := range words {
		bare := strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) })
		if bare != "" && slices.Contains(own, fold(bare)) {
			words[i] = strings.Replace(word, bare, hidden, 1)
		}
	}

	return strings.Join(words, " ")
}

// Log keeps a question without what would tell who asked; names are theirs. It returns what is kept. Nothing but masks and marks is Invalid.
func Log(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, origin, text string, names ...string) (Question, error) {
	q := Question{Text: Mask(text, names...)}
	if !strings.ContainsFunc(q.Text, unicode.IsLetter) {
		return Question{}, &tenants.Invalid{Field: "text", Key: "question_empty"}
	}
	if err := keep(ctx, tx, actor, origin, &q); err != nil {
		return Question{}, err
	}

	return q, tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "question.log", ObjectKind: "question", ObjectID: q.ID.String()})
}

// Unlog takes back a question that the actor logged; ErrNotFound for anybody else's.
func Unlog(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	done, err := tx.ExecContext(ctx, `DELETE FROM asked_questions WHERE tenant_id = $1 AND id = $2 AND by_person = $3`, tx.Tenant, id, actor.ID)
	if err != nil {
		return fmt.Errorf("take back a question: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, tenants.ErrNotFound)
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "question.remove", ObjectKind: "question", ObjectID: id.String()})
}

// Group is questions that ask alike.
type Group struct {
	ID     uuid.UUID  // of its earliest question
	Latest []Question // newest first, at most five
	Count  int
	Card   string   // the answer it has; empty for none
	Chosen bool     // a person said so; else the words fit
	Learnt []Lesson // newest first
	ids    []uuid.UUID
}

// alikeFrom is the share of words that two questions have in common from which on they ask alike; answeredFrom how much of a question a
// card's own question must cover to be taken for its answer.
const (
	alikeFrom    = 0.6
	answeredFrom = 0.7
)

// Groups are the questions of the last half year, those that ask alike together, most asked first. It depends on nothing but the
// questions and the cards.
func Groups(ctx context.Context, tx *tenants.Tx, now time.Time) ([]Group, error) {
	lib, err := shipped()
	if err != nil {
		return nil, err
	}
	cards, _, err := Library(ctx, tx, now)
	if err != nil {
		return nil, err
	}
	var list []Question
	if err := tx.SelectContext(ctx, &list, `
		SELECT id, text, card, lesson, by_name, at FROM asked_questions WHERE tenant_id = $1 AND at > $2 ORDER BY at DESC, id DESC LIMIT $3`,
		tx.Tenant, now.Add(-askedWithin), mostQuestions); err != nil {
		return nil, fmt.Errorf("list questions: %w", err)
	}

	return group(lib, cards, list), nil
}

func group(lib library, cards []Card, list []Question) []Group {
	kinds := map[string][]Question{} // by the words they are about, sorted
	terms := map[string][]string{}
	for _, q := range list {
		words := lib.terms(strings.ReplaceAll(q.Text, hidden, " "))
		slices.Sort(words)
		key := strings.Join(words, " ")
		kinds[key], terms[key] = append(kinds[key], q), words
	}
	keys := make([]string, 0, len(kinds))
	for key := range kinds {
		keys = append(keys, key)
	}
	slices.Sort(keys)

	// Each kind points at another of its group, the first one at itself.
	head := make([]int, len(keys))
	for i := range head {
		head[i] = i
	}
	top := func(i int) int {
		for head[i] != i {
			i = head[i]
		}

		return i
	}
	for i, a := range keys {
		for j := range i {
			if shareOf(terms[a], terms[keys[j]]) >= alikeFrom {
				x, y := top(i), top(j)
				head[max(x, y)] = min(x, y)
			}
		}
	}
	members := map[int][]Question{}
	for i, key := range keys {
		members[top(i)] = append(members[top(i)], kinds[key]...)
	}

	ix := newIndex(lib, cards)
	groups := make([]Group, 0, len(members))
	for _, questions := range members {
		groups = append(groups, ix.groupOf(questions))
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Latest[0].At.Compare(a.Latest[0].At), cmp.Compare(a.ID.String(), b.ID.String()))
	})

	return groups
}

// shareOf is how much of two sets of words is in both.
func shareOf(a, b []string) float64 {
	both := 0
	for _, word := range a {
		if slices.Contains(b, word) {
			both++
		}
	}

	return float64(both) / float64(max(len(a)+len(b)-both, 1))
}

// groupOf makes a group and looks for its answer: what a person chose last, else the card whose question covers most of it.
func (ix index) groupOf(questions []Question) Group {
	slices.SortFunc(questions, func(a, b Question) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID.String(), a.ID.String())) })
	g := Group{ID: questions[len(questions)-1].ID, Count: len(questions), Latest: questions[:min(5, len(questions))]}
	best := answeredFrom
	for _, q := range questions {
		g.ids = append(g.ids, q.ID)
		if q.Lesson != "" {
			g.Learnt = append(g.Learnt, Lesson{Text: q.Lesson, By: q.By, At: q.At})
		}
		if q.Card != "" && !g.Chosen && slices.ContainsFunc(ix.cards, func(c Card) bool { return c.Key == q.Card }) {
			g.Card, g.Chosen = q.Card, true
		}
	}
	if g.Chosen {
		return g
	}
	for _, q := range g.Latest {
		if hits := ix.find(strings.ReplaceAll(q.Text, hidden, " "), false); len(hits) > 0 && hits[0].covers >= best {
			best, g.Card = hits[0].covers, ix.cards[hits[0].card].Key
		}
	}

	return g
}

// GroupOf is the group that a question is in; ErrNotFound where the tenant has no such question.
func GroupOf(ctx context.Context, tx *tenants.Tx, id uuid.UUID, now time.Time) (Group, error) {
	groups, err := Groups(ctx, tx, now)
	if err != nil {
		return Group{}, err
	}
	for _, g := range groups {
		if slices.Contains(g.ids, id) {
			return g, nil
		}
	}

	return Group{}, tenants.ErrNotFound
}

// Answer says which card answers the group that a question is in; with an empty one, that none does.
func Answer(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, card string, now time.Time) error {
	g, err := GroupOf(ctx, tx, id, now)
	if err != nil {
		return err
	}
	if card != "" {
		if _, _, err := One(ctx, tx, card, now); err != nil {
			return &tenants.Invalid{Field: "card", Key: "choice"}
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE asked_questions SET card = $3 WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Array(g.ids), card); err != nil {
		return fmt.Errorf("answer questions: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "question.answer", ObjectKind: "answer", ObjectID: card, Detail: map[string]any{"questions": g.Count},
	})
}

// Forget removes the group that a question is in.
func Forget(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, now time.Time) error {
	g, err := GroupOf(ctx, tx, id, now)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM asked_questions WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Array(g.ids)); err != nil {
		return fmt.Errorf("forget questions: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "question.remove", ObjectKind: "question", ObjectID: g.ID.String(), Detail: map[string]any{"questions": g.Count},
	})
}
