package prep

import (
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/layout"
)

// DrillIntro is where a practice chat is begun. Its form posts to /prep/drill/{id}.
type DrillIntro struct {
	Frame     layout.Frame
	ID        string
	Title     string
	Situation string
	Minutes   int
	Last      string // address of the last try; empty for none
	Passed    bool   // the last try
	Open      bool   // one is under way
}

// Drill is a practice chat under way, or done. Its form posts answer and at (how many answers the page shows) to /prep/drill/{id}/{try}.
type Drill struct {
	Frame     layout.Frame
	ID, Try   string
	Title     string
	Situation string
	Customer  string // their name
	Shown     string // as the chat shows them
	About     string
	Opening   string
	Turns     []DrillTurn
	Step      *DrillStep // nil where it is done
	Passed    bool
	Gates     []string
	Mine      bool
	Who       string
	Form      components.Filled
}

// DrillTurn is what the customer wrote and what was answered. Judged turns say what was missing.
type DrillTurn struct {
	Asks     string // reply, decide, escalate
	Customer string
	Answer   string
	Right    bool
	Missing  []string
	Said     []string // what broke a gate
	Tone     []string
	Model    string // a good answer
	ModelTo  string // the same in the other language
	Took     time.Duration
}

// DrillStep is what is to be answered now.
type DrillStep struct {
	Asks     string
	Customer string
	Choices  []QuizOption
}
