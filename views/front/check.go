package front

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/i18n"
)

// What may be answered in the check.
const (
	yes     = 'y'
	no      = 'n'
	unknown = 'u'
	none    = 'x' // we have nothing of the kind
)

// question is one of the check. A gate is one whose failing makes the others worth little: the result is then not ready, whatever they say.
type question struct {
	key  string
	gate bool
	none bool // may be answered by "we have none"
}

// questions are all of the check, the gates first.
var questions = []question{
	{key: "arrive", gate: true},
	{key: "place", gate: true},
	{key: "reply", gate: true},
	{key: "same"},
	{key: "moved"},
	{key: "bot", none: true},
	{key: "phones", none: true},
	{key: "people"},
}

// Check is the readiness check of somebody without an account: one question after the other, then the result. The answers stand in the
// address of the page, a letter each, and nowhere else.
type Check struct {
	Around
	Answers string
	At      time.Time // when it is looked at, for paper
}

// IsCheck tells whether answers are some that the check's own links lead to.
func IsCheck(answers string) bool {
	if len(answers) > len(questions) {
		return false
	}
	for i, a := range []byte(answers) {
		if !slices.Contains(questions[i].choices(), a) {
			return false
		}
	}

	return true
}

func (q question) choices() []byte {
	if q.none {
		return []byte{yes, no, unknown, none}
	}
	return []byte{yes, no, unknown}
}

func (q question) text(ctx context.Context) string { return i18n.T(ctx, "selfcheck.ask_"+q.key) }

func (p Check) over() bool { return len(p.Answers) == len(questions) }

func (p Check) asked() question { return questions[len(p.Answers)] }

func href(answers string) string {
	if answers == "" {
		return "/check"
	}
	return "/check?a=" + answers
}

func (p Check) back() string { return href(p.Answers[:len(p.Answers)-1]) }

// with are the questions that were answered so.
func (p Check) with(answer byte) (list []question) {
	for i := range len(p.Answers) {
		if p.Answers[i] == answer {
			list = append(list, questions[i])
		}
	}
	return list
}

// gates are those of them that everything else hangs on.
func (p Check) gates(answer byte) []question {
	return slices.DeleteFunc(p.with(answer), func(q question) bool { return !q.gate })
}

func (p Check) inOrder() int { return strings.Count(p.Answers, string(yes)) }

// asksOf is how many questions were about something that there is.
func (p Check) asksOf() int { return len(p.Answers) - strings.Count(p.Answers, string(none)) }

// level is the result: not_ready where a gate failed, unproved where nobody knows of one, open where all gates hold and something else is
// left, ready. The gate that decided is named with the first two.
func (p Check) level() (level string, gates []question) {
	if failed := p.gates(no); len(failed) > 0 {
		return "not_ready", failed
	}
	if doubtful := p.gates(unknown); len(doubtful) > 0 {
		return "unproved", doubtful
	}
	if len(p.todo()) > 0 {
		return "open", nil
	}
	return "ready", nil
}

// step is something to do: put right, or find out.
type step struct {
	question
	find bool
}

// todo is what to do, in order: what fails before what nobody knows, gates before the rest.
func (p Check) todo() (list []step) {
	for _, gate := range []bool{true, false} {
		for _, answer := range []byte{no, unknown} {
			for _, q := range p.with(answer) {
				if q.gate == gate {
					list = append(list, step{q, answer == unknown})
				}
			}
		}
	}
	return list
}

var answerKeys = map[byte]string{yes: "yes", no: "no", unknown: "unknown", none: "none"}

func answerText(ctx context.Context, answer byte) string {
	return i18n.T(ctx, "selfcheck."+answerKeys[answer])
}
