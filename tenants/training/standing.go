package training

import (
	"slices"
	"time"

	"github.com/pehchan/pehchan/tenants/training/content"
)

// answering are the roles that answer customers, and so practise it.
var answering = []string{"owner", "lead", "agent"}

// Learns tells whether a role has something to learn.
func Learns(role string) bool { return slices.Contains(content.Roles, role) }

// Practises tells whether a role has to pass practice chats.
func Practises(role string) bool { return slices.Contains(answering, role) }

// Lessons are those of a role, in the order in which they are read.
func Lessons(bank *content.Bank, role string) []content.Lesson {
	var list []content.Lesson
	for _, l := range bank.Lessons {
		if slices.Contains(l.Roles, role) {
			list = append(list, l)
		}
	}

	return list
}

// Judge says how ready somebody of a role is. lastNews is when each fact last said something new.
func Judge(bank *content.Bank, role string, r Record, lastNews map[string]int64, now time.Time) Standing {
	s := Standing{State: Ready}
	blocked := func(why Reason) { s.State, s.Reasons = NotReady, append(s.Reasons, why) }
	lapsed := func(why Reason) {
		if s.State == Ready {
			s.State = Due
		}
		s.Reasons = append(s.Reasons, why)
	}

	lessons := Lessons(bank, role)
	unread, changed := 0, 0
	for _, l := range lessons {
		switch r.Lesson(l, lastNews) {
		case "":
			unread++
		case "changed":
			changed++
		}
	}
	s.judgeQuiz(bank, r.Quizzes, lastNews, blocked)
	if unread > 0 {
		blocked(Reason{Code: WhyLessons, N: unread, Of: len(lessons)})
	}
	s.judgeDrills(bank, role, r, lastNews, blocked, lapsed)
	if len(s.Changed) > 0 {
		lapsed(Reason{Code: WhyFacts, N: len(s.Changed), Facts: s.Changed})
	}
	if changed > 0 {
		lapsed(Reason{Code: WhyRead, N: changed})
	}
	if s.NeedsQuiz() {
		return s
	}
	if last := r.Quizzes[len(r.Quizzes)-1]; last.Kind == KindRefresher && !last.Passed {
		lapsed(Reason{Code: WhyRefreshBad, N: last.Score, Of: last.Of})
	} else if !now.Before(s.Refresher) {
		lapsed(Reason{Code: WhyRefresher, At: s.Refresher})
	}

	return s
}

// judgeQuiz looks at the last quiz and the refreshers after it. A gate that is broken in any of them asks for a whole quiz.
func (s *Standing) judgeQuiz(bank *content.Bank, quizzes []Result, lastNews map[string]int64, blocked func(Reason)) {
	if len(quizzes) == 0 {
		blocked(Reason{Code: WhyNoQuiz})
		return
	}
	last := quizzes[0]
	s.Last = &last
	for _, q := range quizzes {
		if q.Gate != "" {
			blocked(Reason{Code: WhyGate, Gate: q.Gate, At: q.At})
			return
		}
	}
	if !last.Passed {
		blocked(Reason{Code: WhyFailed, N: last.Score, Of: last.Of})
		return
	}

	seq, at, done := last.Seq, last.At, 0
	for _, q := range quizzes[1:] {
		if q.Passed {
			seq, at, done = max(seq, q.Seq), q.At, done+1
		}
	}
	s.Refresher = at.Add(gaps[min(done, len(gaps)-1)])
	s.Changed = changedSince(asked(bank), lastNews, seq)
}

// judgeDrills counts the practice chats passed. One that rests on a fact that has changed since is practised anew.
func (s *Standing) judgeDrills(bank *content.Bank, role string, r Record, lastNews map[string]int64, blocked, lapsed func(Reason)) {
	var broken []Practice
	stale := 0
	for _, drill := range bank.Drills {
		switch r.Drill(drill, lastNews) {
		case "changed":
			stale++
		case "passed":
			s.Practised++
		case "gate":
			broken = append(broken, r.Drills[drill.ID])
		}
	}
	slices.SortFunc(broken, func(a, b Practice) int { return a.At.Compare(b.At) })
	for _, d := range broken {
		blocked(Reason{Code: WhyPracticeGate, Gate: d.Gate, Drill: d.Drill, At: d.At})
	}
	needed := min(DrillsNeeded, len(bank.Drills))
	togo := needed - s.Practised
	switch {
	case !Practises(role) || togo <= 0:
	case stale < togo:
		blocked(Reason{Code: WhyDrills, N: togo, Of: needed})
	default:
		lapsed(Reason{Code: WhyPractice, N: togo})
	}
}

// asked are the facts that the questions rest on: a pass says that somebody knows them, whichever were drawn.
func asked(bank *content.Bank) []string {
	var keys []string
	for _, item := range bank.Items {
		keys = append(keys, item.Facts...)
	}
	slices.Sort(keys)

	return slices.Compact(keys)
}

// changedSince are those of some facts that said something new after seq.
func changedSince(keys []string, lastNews map[string]int64, seq int64) []string {
	var changed []string
	for _, key := range keys {
		if lastNews[key] > seq {
			changed = append(changed, key)
		}
	}

	return changed
}
