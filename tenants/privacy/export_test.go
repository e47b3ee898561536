package privacy

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Without has a worker leave out one part of erasing, so that a test sees what the others leave.
func (w *Worker) Without(name string) {
	w.parts = slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return p.name == name })
}

// Once does what is due now.
func (w *Worker) Once(ctx context.Context) error { return w.step(ctx) }

// Night is when a tenant's old things go next.
func Night(now time.Time, tenant uuid.UUID) time.Time { return night(now, tenant) }

// BookTries is how often a contact book is asked.
const BookTries = bookTries

// Again tells an error after which a step is to be tried again later.
func Again(err error) bool { return errors.Is(err, errAgain) }

// Step does one step of an erasure.
func (w *Worker) Step(ctx context.Context, tenant, id uuid.UUID) (done bool, err error) {
	return w.eraseStep(ctx, tenant, id)
}
