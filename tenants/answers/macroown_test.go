package answers_test

import (
	"context"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/answers"
)

// Each built-in macro may be kept word for word as a business's own: none of the guards that keep harm out keeps them out. What a business
// words is counted for itself alone, and for the operators as a number.
func TestBuiltInMacrosPassTheGuards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	actor := tenants.Actor{Kind: "person", ID: "m", Name: "Meera"}
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		for _, key := range allMacros(t) {
			m, err := answers.MacroBy(ctx, tx, key, now)
			if err != nil {
				return err
			}
			if _, err := answers.SaveMacro(ctx, tx, actor, answers.MacroEdit{Key: key, MacroText: m.MacroText}, now); err != nil {
				t.Errorf("%s: %v", key, err)
			}
			again, err := answers.MacroBy(ctx, tx, key, now)
			if err != nil {
				return err
			}
			if again.Version != 1 || again.Own || again.Under == nil || again.Guard != m.Guard || again.MacroText != m.MacroText {
				t.Errorf("%s: got %+v", key, again)
			}
		}

		return answers.Use(ctx, tx, answers.UsedMacro, "m01", now)
	}))
	w.must(w.DB.System(t.Context(), func(tx *tenants.Tx) error {
		r, err := answers.Concerned(t.Context(), tx, "m01")
		if r.Others != 1 {
			t.Errorf("got %+v, want one business with words of its own", r)
		}
		return err
	}))
}
