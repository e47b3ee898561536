package web

import (
	"sync"
	"time"
)

// seldom lets one line a second into the log and counts the others. Its zero value is ready.
type seldom struct {
	mu   sync.Mutex
	next time.Time
	kept int
}

// pass tells whether a line is due, and how many were kept back since the last one.
func (s *seldom) pass(now time.Time) (kept int, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.next) {
		s.kept++
		return 0, false
	}
	kept, s.kept, s.next = s.kept, 0, now.Add(time.Second)

	return kept, true
}
