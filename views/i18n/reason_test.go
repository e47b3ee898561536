package i18n_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/views/i18n"
)

func TestReasonCountsTheOthers(t *testing.T) {
	t.Parallel()

	for _, c := range []struct{ lang, others, want string }{
		{"en", "0", "Nobody else sounds like this."},
		{"en", "1", "1 more of your customers sounds like this."},
		{"en", "12", "12 more of your customers sound like this."},
		{"hi", "0", "और किसी ग्राहक का नाम ऐसा नहीं है।"},
		{"hi", "1", "आपके 1 और ग्राहक का नाम ऐसा ही है।"},
	} {
		ctx := i18n.With(context.Background(), c.lang, time.UTC)
		got := i18n.Reason(ctx, "sounds_alike", map[string]string{"mine": "Asha", "theirs": "आशा", "others": c.others})
		if !strings.HasSuffix(got, c.want) || !strings.Contains(got, "Asha ≈ आशा") {
			t.Errorf("%s, %s others: got %q, want it to end in %q", c.lang, c.others, got, c.want)
		}
	}
}
