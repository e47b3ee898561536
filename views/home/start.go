package home

import (
	"context"
	"slices"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/numbers"
)

// Start leads an owner through the first steps, one at a time. Each step posts
// do=next or do=skip to /start/{step}: look with lang and density, event with
// an answer to each question, invite with name, email, role and password.
type Start struct {
	Frame   layout.Frame
	Now     time.Time
	Step    string // shown now: look, connect, event, invite or tasks; empty when all is behind
	Steps   []StartStep
	Form    components.Filled
	Lang    string
	Density string
	Numbers []numbers.Number
	Event   *StartEvent // nil while nothing has come
	Said    map[string]StartAnswer
	Quiz    []StartQuestion
	Roles   []string
}

// StartStep is one of the steps.
type StartStep struct {
	Name  string
	State string // done, skipped, or empty while it lies ahead
	By    string
	At    time.Time
}

// StartEvent is what WhatsApp told of the first customer, masked.
type StartEvent struct {
	Href     string // the customer's page
	Name     string // what they call themselves; may be empty
	ID       string // their WhatsApp ID, shortened; empty where none came
	Phone    string // masked; empty where WhatsApp withheld it
	Username string
	At       time.Time
}

// StartQuestion is a question about it, with what may be answered.
type StartQuestion struct {
	Name    string
	Choices []string
}

// StartAnswer is what the reader said last.
type StartAnswer struct {
	Answer  string
	Correct bool
	Right   string // the right answer
}

// StartProgress is how far the business is, for its home page.
type StartProgress struct {
	Behind, Of int
}

func (p Start) behind() int {
	n := 0
	for _, s := range p.Steps {
		if s.State != "" {
			n++
		}
	}
	return n
}

func (p Start) number() int {
	return 1 + slices.IndexFunc(p.Steps, func(s StartStep) bool { return s.Name == p.Step })
}

func (p Start) answer(ctx context.Context) string {
	if p.Step == "" {
		return i18n.T(ctx, "start.all_done")
	}
	return i18n.T(ctx, "start.step_of", "step", p.number(), "of", len(p.Steps))
}

func (s StartStep) tone() components.Tone {
	if s.State == "done" {
		return components.Good
	}
	return components.Neutral
}

// after is the step that follows the one shown.
func (p Start) after() string {
	if at := p.number(); at < len(p.Steps) {
		return p.Steps[at].Name
	}
	return ""
}

func (p Start) answered() bool { return len(p.Said) > 0 && len(p.Said) == len(p.Quiz) }

func (p Start) right() int {
	n := 0
	for _, a := range p.Said {
		if a.Correct {
			n++
		}
	}
	return n
}

// startTasks are the first tasks and where they are done.
var startTasks = []struct{ name, href string }{{"decide", "/resolve"}, {"answer", "/inbox"}, {"list", "/contacts/import"}}

func lookIf(primary bool) components.Look {
	if primary {
		return components.Primary
	}
	return components.Quiet
}

func resultTone(p Start) components.Tone {
	if p.right() == len(p.Quiz) {
		return components.Good
	}
	return components.Info
}

// task is the first steps as a card of the home page.
func (s StartProgress) task(ctx context.Context) task {
	button := i18n.T(ctx, "start.home_go")
	if s.Behind == 0 {
		button = i18n.T(ctx, "start.home_begin")
	}
	return task{"start", i18n.T(ctx, "start.home_title"), i18n.T(ctx, "start.home_why", "behind", s.Behind, "of", s.Of), button, "/start", ""}
}
