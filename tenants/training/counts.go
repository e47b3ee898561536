package training

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// FewAnswers is below how many answers nothing is said about how a question does.
const FewAnswers = 20

const gapPercent = 10 // between the languages, above which a question is flagged

// count adds a finished quiz to what is known of its questions. The score of a question is that of the rest of the quiz, in thousandths,
// so that it does not count itself.
func count(ctx context.Context, tx *tenants.Tx, q Quiz, lang string) error {
	order := slices.Clone([]string(q.Items))
	slices.Sort(order) // two who finish at once take the rows in one order
	for _, id := range order {
		i := slices.Index(q.Items, id)
		if q.Answers[i] == "" {
			continue // taken back while it was asked
		}
		rest := q.Score
		if q.Correct[i] {
			rest--
		}
		score := rest * 1000 / max(len(q.Items)-1, 1)
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO answer_counts (tenant_id, item, lang, answer, correct, n, score, squared) VALUES ($1, $2, $3, $4, $5, 1, $6, $7)
			ON CONFLICT (tenant_id, item, lang, answer)
			DO UPDATE SET n = answer_counts.n + 1, score = answer_counts.score + excluded.score, squared = answer_counts.squared + excluded.squared`,
			tx.Tenant, id, lang, q.Answers[i], q.Correct[i], score, score*score); err != nil {
			return fmt.Errorf("count answers: %w", err)
		}
	}

	return nil
}

// Answered is how often an answer was given.
type Answered struct {
	Item    string `db:"item"`
	Lang    string `db:"lang"`
	Answer  string `db:"answer"`
	Correct bool   `db:"correct"`
	N       int64  `db:"n"`
	Score   int64  `db:"score"`
	Squared int64  `db:"squared"`
}

// Counts are the answers given by tx's tenant; in a System transaction by all. Only questions of the bank are told of.
func Counts(ctx context.Context, tx *tenants.Tx) ([]Answered, error) {
	var list []Answered
	err := tx.SelectContext(ctx, &list, `
		SELECT item, lang, answer, bool_or(correct) AS correct, sum(n)::bigint AS n, sum(score)::bigint AS score, sum(squared)::bigint AS squared
		FROM answer_counts GROUP BY item, lang, answer ORDER BY item, lang, n DESC, answer LIMIT 5000`)
	if err != nil {
		return nil, fmt.Errorf("read how questions do: %w", err)
	}

	return list, nil
}

// Figures are how a question does. Difficulty is the share of right answers, 0 to 1; Discrimination the point-biserial correlation of a
// right answer with the rest of the quiz, -1 to 1; both are NaN below FewAnswers.
type Figures struct {
	Item           content.Item
	N              int64
	Difficulty     float64
	Discrimination float64
	Chosen         map[string]int64 // by answer
	ByLang         map[string]float64
	Gap            bool // one language does worse by more than ten points: its words may mislead
}

// Statistics are how the questions do that were answered at all and are not away, in the order of the bank.
func Statistics(bank *content.Bank, away map[string]ItemAct, counts []Answered) []Figures {
	byItem := map[string][]Answered{}
	for _, c := range counts {
		byItem[c.Item] = append(byItem[c.Item], c)
	}
	var list []Figures
	for _, item := range without(bank, away).Items {
		if given := byItem[item.ID]; len(given) > 0 {
			list = append(list, figuresOf(item, given))
		}
	}

	return list
}

// FiguresOf are how one question does, also one that nobody has answered.
func FiguresOf(item content.Item, counts []Answered) Figures {
	return figuresOf(item, slices.DeleteFunc(slices.Clone(counts), func(a Answered) bool { return a.Item != item.ID }))
}

func figuresOf(item content.Item, given []Answered) Figures {
	f := Figures{Item: item, Difficulty: math.NaN(), Discrimination: math.NaN(), Chosen: map[string]int64{}, ByLang: map[string]float64{}}
	var right, score, squared, rightScore int64
	inLang, rightInLang := map[string]int64{}, map[string]int64{}
	for _, a := range given {
		f.N, score, squared = f.N+a.N, score+a.Score, squared+a.Squared
		f.Chosen[a.Answer] += a.N
		inLang[a.Lang] += a.N
		if a.Correct {
			right, rightScore = right+a.N, rightScore+a.Score
			rightInLang[a.Lang] += a.N
		}
	}
	for lang, n := range inLang {
		if n >= FewAnswers {
			f.ByLang[lang] = float64(rightInLang[lang]) / float64(n)
		}
	}
	if len(f.ByLang) == 2 {
		f.Gap = math.Abs(f.ByLang["en"]-f.ByLang["hi"])*100 > gapPercent
	}
	if f.N < FewAnswers {
		return f
	}

	n, p := float64(f.N), float64(right)/float64(f.N)
	f.Difficulty = p
	mean := float64(score) / n
	spread := math.Sqrt(float64(squared)/n - mean*mean)
	if right > 0 && right < f.N && spread > 0 {
		meanRight, meanWrong := float64(rightScore)/float64(right), float64(score-rightScore)/float64(f.N-right)
		f.Discrimination = (meanRight - meanWrong) / spread * math.Sqrt(p*(1-p))
	}

	return f
}
