package outbox

import "context"

// AtStep has fn called between every two steps of a turn.
func (s *Sender) AtStep(fn func(step string)) { s.step = fn }

// Once gives every number that is due one turn, one after the other, and tells how many there were.
func (s *Sender) Once(ctx context.Context) (int, error) {
	due, err := s.due(ctx)
	for _, l := range due {
		if err == nil {
			err = s.serve(ctx, l)
		}
	}

	return len(due), err
}
