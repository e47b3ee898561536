package prep

import (
	"strconv"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/changes"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/queue"
)

// Quiz is a set of questions to answer, or, when it is done, what came of it. Its form posts to /prep/quiz/{id}: a_<question> is the
// chosen answer; of a question about an order, a_<question>_<n> is what comes n-th.
type Quiz struct {
	Frame     layout.Frame
	ID        string
	Kind      string // quiz, refresher
	Items     []QuizItem
	Changed   []changes.Fact // what changed since the last pass, to be read first
	Done      bool
	Mine      bool   // the reader's own
	Who       string // whose it is, where it is not
	Score     int
	Passed    bool
	Gates     []string
	Took      time.Duration
	CanRetry  bool
	Form      components.Filled
	NeedRight int
}

// QuizItem is one question, with what was answered where it was.
type QuizItem struct {
	ID          string
	Format      string // best, order, spot, same, myth
	Question    string
	Options     []QuizOption
	Chat        []QuizLine
	Card        *QuizCard
	Answer      string   // the id of an option, or of all with spaces between
	Right       bool     // the answer
	Gate        string   // that it broke
	Order       []string // texts, as they should stand
	Explanation string
	Instead     bool // it stands for one that was taken back while that was asked, the only one for a gate
	Away        bool // taken back by operators while it was asked: it stands as right
}

// QuizOption is one answer to choose.
type QuizOption struct {
	ID    string
	Text  string
	Right bool
	Why   string
}

// QuizLine is one line of a chat. Who is customer, agent or notice.
type QuizLine struct {
	Who  string
	Text string
}

// QuizCard is somebody to be decided about, as the page for deciding shows them.
type QuizCard struct {
	Who, Might string // names
	Reasons    []queue.Because
	Against    []string
	Compared   []queue.Compared
}

func (q QuizItem) field() string { return "a_" + q.ID }

func (q QuizItem) place(n int) string { return q.field() + "_" + strconv.Itoa(n) }

// letter names the n-th step of an order: a whole step does not fit into a list on a phone.
func letter(n int) string { return string(rune('A' + n)) }

// chosen is the text of the answer given; empty for none.
func (q QuizItem) chosen() string {
	var texts []string
	for _, id := range strings.Fields(q.Answer) {
		for _, o := range q.Options {
			if o.ID == id {
				texts = append(texts, o.Text)
			}
		}
	}
	return strings.Join(texts, " → ")
}

func (q QuizItem) right() *QuizOption {
	for i := range q.Options {
		if q.Options[i].Right {
			return &q.Options[i]
		}
	}
	return nil
}

func (q QuizItem) why() string {
	for _, o := range q.Options {
		if o.ID == q.Answer {
			return o.Why
		}
	}
	return ""
}
