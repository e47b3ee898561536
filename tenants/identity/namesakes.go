package identity

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Bounds of the search for namesakes, so that it takes as long for a million customers as for a thousand: as many holders of one
// sound are counted, as many of words that are rarer are looked through, and as many people compared word by word.
const (
	maxHeld   = 20_000
	maxRare   = 5_000
	maxScored = 150
)

// Up to so many people each common sound is looked up person by person. For more, whoever has the sound is read in one go, up to a bound:
// the index holds them side by side.
const (
	maxAskedSingly = 500
	maxHolders     = 50_000
)

// notThisSound is what a sound that is a letter off is worth less, in bits, when the people to compare are chosen.
const notThisSound = 3.0

// namesake is a contact with a phone whose name sounds like the one asked for.
type namesake struct {
	contact uuid.UUID
	bits    float64  // see nameBits
	others  int      // how many more sound as much like it
	ids     []string // the WhatsApp IDs that are known of them, as values of identifiers
	likely  float64  // what is left of bits by what else is known; see nearest
}

// asked is a name that is looked for: the ways in which somebody is called, and how rare each sound is.
type asked struct {
	names [][]nameWord
	pool  float64 // customers with a phone, about
	held  map[string]int
}

func (a asked) rare(sound string) float64 {
	return math.Log2((a.pool + 1) / float64(max(1, a.held["s:"+clip(sound)])))
}

// bits of the way of being called that fits best.
func (a asked) bits(theirs []nameWord) (best float64, alike bool) {
	for _, mine := range a.names {
		if bits, ok := nameBits(mine, theirs, a.rare); ok && (!alike || bits > best) {
			best, alike = bits, true
		}
	}

	return best, alike
}

// ask counts how common the sounds of a contact's names are among everybody else.
func ask(ctx context.Context, tx *tenants.Tx, contact uuid.UUID, names []string) (asked, error) {
	var a asked
	var sounds []string
	for _, n := range names {
		words := newNameWords(nameWords(n))
		if len(words) == 0 || slices.ContainsFunc(a.names, func(o []nameWord) bool { return slices.Equal(o, words) }) {
			continue
		}
		a.names = append(a.names, words)
		for _, w := range words {
			for _, s := range soundsOf(w.text) {
				if word := "s:" + clip(s); len(s) > 1 && !slices.Contains(sounds, word) {
					sounds = append(sounds, word)
				}
			}
		}
	}

	var err error
	if a.pool, err = poolSize(ctx, tx); err != nil {
		return asked{}, err
	}
	var rows []struct {
		Word string `db:"word"`
		Held int    `db:"held"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT s.word, c.held FROM unnest($2::text[]) AS s (word)
		CROSS JOIN LATERAL (SELECT count(*) AS held FROM (
			SELECT 1 FROM contact_words w WHERE w.tenant_id = $1 AND w.word = s.word AND w.contact_id <> $4 LIMIT $3) AS few) AS c
		WHERE c.held > 0`, tx.Tenant, pq.Array(sounds), maxHeld, contact); err != nil {
		return asked{}, fmt.Errorf("count sounds of names: %w", err)
	}
	a.held = make(map[string]int, len(rows))
	for _, r := range rows {
		a.held[r.Word] = r.Held
	}

	return a, nil
}

// poolSize is about how many customers with a phone there are. Past twenty thousand it is told from those whose phone's last four digits
// begin with 37, a hundredth of all; of fewer these are too few to tell.
func poolSize(ctx context.Context, tx *tenants.Tx) (float64, error) {
	const exact = 20_000
	var pool float64
	err := tx.GetContext(ctx, &pool, `
		SELECT CASE WHEN h.held > $2 / 100 THEN 100 * h.held
		       ELSE (SELECT count(*) FROM (SELECT 1 FROM contact_words WHERE tenant_id = $1 AND word >= '4:' AND word < '4;' LIMIT $2) AS few) END
		FROM (SELECT count(*) AS held FROM contact_words WHERE tenant_id = $1 AND word >= '4:37' AND word < '4:38') AS h`, tx.Tenant, exact)
	if err != nil {
		return 0, fmt.Errorf("count customers with a phone: %w", err)
	}

	return max(1, pool), nil
}

// soundOfWord is a sound that one of the words asked for may have.
type soundOfWord struct {
	word   string // of contact_words
	of     int    // which of the words
	weight float64
}

// sounds are those that somebody has, split into those few enough to look through and those to check only on who was found.
func (a asked) sounds() (through, check []soundOfWord) {
	type group struct {
		held  int
		words []soundOfWord
	}
	var groups []group
	of := 0
	for _, name := range a.names {
		for _, w := range name {
			g := group{}
			for i, s := range soundsOf(w.text) {
				word := "s:" + clip(s)
				if held := a.held[word]; held > 0 {
					weight := a.rare(s)
					if i > 0 {
						weight -= notThisSound
					}
					g.held += held
					g.words = append(g.words, soundOfWord{word, of, max(weight, 0.1)})
				}
			}
			of++
			if g.held > 0 {
				groups = append(groups, g)
			}
		}
	}
	slices.SortStableFunc(groups, func(x, y group) int { return x.held - y.held })

	for i, g := range groups {
		if i == 0 || g.held <= maxRare {
			through = append(through, g.words...)
			continue
		}
		check = append(check, g.words[:min(2, len(g.words))]...)
	}

	return through, check
}

func columnsOfSounds(list []soundOfWord) (words []string, of []int, weights []float64) {
	for _, s := range list {
		words, of, weights = append(words, s.word), append(of, s.of), append(weights, s.weight)
	}

	return words, of, weights
}

// The common sounds of people who were found: what each is worth to whom.
const (
	oneByOne = `
			SELECT o.contact_id, s.of, max(s.weight) AS weight FROM once o
			CROSS JOIN LATERAL unnest($5::text[], $6::int[], $7::float8[]) AS s (word, of, weight)
			CROSS JOIN LATERAL (SELECT FROM contact_words c WHERE c.tenant_id = $1 AND c.word = s.word AND c.contact_id = o.contact_id LIMIT $11) c
			GROUP BY o.contact_id, s.of
		`
	inOneGo = `
			SELECT o.contact_id, s.of, max(s.weight) AS weight FROM unnest($5::text[], $6::int[], $7::float8[]) AS s (word, of, weight)
			CROSS JOIN LATERAL (SELECT c.contact_id FROM contact_words c WHERE c.tenant_id = $1 AND c.word = s.word LIMIT $11) c
			JOIN once o ON o.contact_id = c.contact_id
			GROUP BY o.contact_id, s.of
		`
)

// The rarest sounds of names: what each who has them is worth, where they may all be of one word and where they are of several.
const (
	ofOneWord = `
			SELECT w.contact_id, max(s.weight) AS weight ` + whoHas + ` GROUP BY w.contact_id
		`
	ofWords = `
			SELECT contact_id, sum(weight) AS weight FROM (
				SELECT w.contact_id, s.of, max(s.weight) AS weight ` + whoHas + ` GROUP BY w.contact_id, s.of) heard
			GROUP BY contact_id
		`
	whoHas = `
			FROM unnest($2::text[], $3::int[], $4::float8[]) AS s (word, of, weight)
			CROSS JOIN LATERAL (SELECT c.contact_id FROM contact_words c WHERE c.tenant_id = $1 AND c.word = s.word LIMIT $8) w
			WHERE w.contact_id <> ALL($9)`
)

// namesakes finds who is called much like this, best first, except the given contacts. It reads contact_words alone.
func (a asked) namesakes(ctx context.Context, tx *tenants.Tx, except []uuid.UUID) ([]namesake, error) {
	through, check := a.sounds()
	if len(through) == 0 {
		return nil, nil
	}
	words, of, weights := columnsOfSounds(through)
	checkWords, checkOf, checkWeights := columnsOfSounds(check)
	once, people := ofOneWord, 0
	if through[0].of != through[len(through)-1].of { // they stand word by word
		once = ofWords
	}
	for _, s := range through {
		people += a.held[s.word]
	}
	rest, most := oneByOne, maxHeld
	if people > maxAskedSingly {
		rest, most = inOneGo, maxHolders
	}
	var found []struct {
		Contact uuid.UUID `db:"contact_id"`
		AsGood  int       `db:"as_good"`
	}
	err := tx.SelectContext(ctx, &found, `
		WITH once AS MATERIALIZED (`+once+`), rest AS (`+rest+`), whole AS MATERIALIZED (
			SELECT o.contact_id, o.weight + coalesce(r.weight, 0) AS weight FROM once o
			LEFT JOIN (SELECT contact_id, sum(weight) AS weight FROM rest GROUP BY contact_id) r USING (contact_id)
		)
		SELECT w.contact_id, l.as_good FROM (SELECT contact_id, weight FROM whole ORDER BY weight DESC, contact_id LIMIT $10) w
		JOIN (SELECT weight, sum(count(*)) OVER (ORDER BY weight DESC)::bigint AS as_good FROM whole GROUP BY weight) l ON l.weight = w.weight
		ORDER BY w.weight DESC, w.contact_id`,
		tx.Tenant, pq.Array(words), pq.Array(of), pq.Array(weights), pq.Array(checkWords), pq.Array(checkOf), pq.Array(checkWeights),
		maxHeld, pq.Array(except), maxScored, most)
	if err != nil {
		return nil, fmt.Errorf("find names that sound alike: %w", err)
	}

	ids := make([]uuid.UUID, len(found))
	asGood := map[uuid.UUID]int{}
	for i, f := range found {
		ids[i], asGood[f.Contact] = f.Contact, f.AsGood
	}
	called, err := calledWithPhone(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var list []namesake
	for _, id := range ids {
		if bits, alike := a.bits(called[id].words); alike && bits > 0 {
			list = append(list, namesake{contact: id, bits: bits, ids: called[id].ids})
		}
	}
	slices.SortStableFunc(list, func(x, y namesake) int {
		switch {
		case x.bits > y.bits:
			return -1
		case x.bits < y.bits:
			return 1
		}
		return strings.Compare(x.contact.String(), y.contact.String())
	})
	for i := range list {
		for j := range list {
			if i != j && list[j].bits >= list[i].bits-1 {
				list[i].others++
			}
		}
		if len(found) == maxScored {
			list[i].others = max(list[i].others, asGood[list[i].contact]-1)
		}
	}

	return list, nil
}

// known is what contact_words tells of somebody with a phone.
type known struct {
	words []nameWord // of all their names
	ids   []string   // the WhatsApp IDs that are known of them
}

// calledWithPhone is what those among the contacts who have a phone are called.
func calledWithPhone(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) (map[uuid.UUID]known, error) {
	var rows []struct {
		Contact uuid.UUID `db:"contact_id"`
		Word    string    `db:"word"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT contact_id, word FROM contact_words
		WHERE tenant_id = $1 AND contact_id = ANY($2) AND left(word, 2) IN ('n:', 'p:', 'b:') -- left() keeps to the index by contact
		ORDER BY contact_id, word`, tx.Tenant, pq.Array(contacts)); err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	texts, ids, phone := map[uuid.UUID][]string{}, map[uuid.UUID][]string{}, map[uuid.UUID]bool{}
	for _, r := range rows {
		switch kind, text, _ := strings.Cut(r.Word, ":"); kind {
		case "n":
			texts[r.Contact] = append(texts[r.Contact], text)
		case "b":
			ids[r.Contact] = append(ids[r.Contact], text)
		default:
			phone[r.Contact] = true
		}
	}
	called := map[uuid.UUID]known{}
	for id := range phone {
		called[id] = known{newNameWords(texts[id]), ids[id]}
	}

	return called, nil
}
