// Package training tells who of a team is ready for customers without a number: what each person has read, answered and practised, and
// whether it still holds. A pass belongs to the state of the fact ledger it was earned on. What there is to read and answer is in content/.
package training

import (
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// The states of a person: ready; was ready, but something has to be looked at again; not ready.
const (
	Ready    = "ready"
	Due      = "due"
	NotReady = "not_ready"
)

// What has to be true of somebody who is ready.
const (
	QuizItems      = 10 // questions of a quiz
	RefresherItems = 5
	PassPercent    = 85 // of a quiz
	RefresherRight = 4  // of RefresherItems
	DrillsNeeded   = 3  // different practice chats passed, by whoever answers customers

	// RetryAfter is how long somebody who did not pass waits for the next try.
	RetryAfter = 10 * time.Minute

	// openFor is how long a quiz that was begun stays as it was drawn.
	openFor = 24 * time.Hour
)

const day = 24 * time.Hour

// gaps are the days from a pass to the first refresher, and from each refresher to the next: days 3, 10 and 30 after the pass, and then
// every 30 days.
var gaps = []time.Duration{3 * day, 7 * day, 20 * day, 30 * day}

// The kinds of quiz.
const (
	KindQuiz      = "quiz"
	KindRefresher = "refresher"
)

// Why somebody is not ready, or due.
const (
	WhyLessons    = "lessons"     // not read: N of Of
	WhyNoQuiz     = "quiz_none"   // never answered
	WhyFailed     = "quiz_failed" // N of Of right
	WhyGate       = "gate"        // Gate was broken
	WhyDrills     = "drills"      // N of Of to go
	WhyFacts      = "facts"       // changed since: Facts
	WhyRead       = "lessons_changed"
	WhyPractice   = "drills_changed"
	WhyRefresher  = "refresher" // was to be done by At
	WhyRefreshBad = "refresher_failed"

	WhyPracticeGate = "gate_drill" // Gate was broken in the practice chat Drill
)

// Reason is one thing that keeps somebody from being ready. Which of its fields are set goes by its code.
type Reason struct {
	Code  string
	Gate  string
	N, Of int
	Facts []string
	Drill string
	At    time.Time
}

// Result is what came of a quiz.
type Result struct {
	ID      uuid.UUID `db:"id"`
	Person  uuid.UUID `db:"person_id"`
	Kind    string    `db:"kind"`
	Form    string    `db:"form"`
	Score   int       `db:"score"`
	Of      int       `db:"asked"`
	Gate    string    `db:"gate"` // the first that was broken; empty for none
	Passed  bool      `db:"passed"`
	Seq     int64     `db:"seq"` // of the fact ledger when the questions were drawn
	Started time.Time `db:"started_at"`
	At      time.Time `db:"finished_at"`
}

// Practice is what came of the last try at a practice chat.
type Practice struct {
	Person uuid.UUID `db:"person_id"`
	Try    uuid.UUID `db:"id"`
	Drill  string    `db:"drill"`
	Gate   string    `db:"gate"`
	Passed bool      `db:"passed"`
	Seq    int64     `db:"seq"`
	At     time.Time `db:"finished_at"`
}

// Record is what somebody has done so far.
type Record struct {
	Reads   map[string]int64 // how far the fact ledger went when they read a lesson, by its id
	Quizzes []Result         // the last quiz and what followed it, oldest first
	Drills  map[string]Practice
}

// Standing is how ready somebody is.
type Standing struct {
	State     string
	Reasons   []Reason
	Last      *Result   // the last quiz; nil for none
	Refresher time.Time // when the next is due; zero where a quiz has to come first
	Changed   []string  // facts that changed since the last pass
	Practised int       // different practice chats passed
}

// NeedsQuiz tells whether a whole quiz comes next, and not a refresher.
func (s Standing) NeedsQuiz() bool { return s.Refresher.IsZero() }

// NeedsRefresher tells whether a refresher is due.
func (s Standing) NeedsRefresher(now time.Time) bool {
	return !s.NeedsQuiz() && (len(s.Changed) > 0 || !now.Before(s.Refresher))
}

// Learner is somebody who learns, in one business.
type Learner struct {
	ID    uuid.UUID
	Role  string
	Actor tenants.Actor
}
