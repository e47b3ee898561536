package identity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// forecast is what is counted and what is listed at a time.
func (w *world) forecast(now time.Time, number string) (counts string, listed map[int]int) {
	w.t.Helper()
	listed = map[int]int{}
	w.as(func(tx *tenants.Tx) error {
		at := []uuid.UUID{w.numbers[number]}
		figures, err := adoption.Forecast(w.t.Context(), tx, at, now)
		if err != nil {
			return err
		}
		for _, v := range figures {
			counts += fmt.Sprintf("%d: %d/%d ", v.Days, v.Unknown, v.All())
			for _, known := range []bool{false, true} {
				list, _, err := adoption.Fades(w.t.Context(), tx, adoption.Wanted{Numbers: at, Days: v.Days, Known: known, Limit: 100}, now)
				if err != nil {
					return err
				}
				listed[v.Days] += len(list)
			}
			if int64(listed[v.Days]) != v.All() {
				w.t.Errorf("within %d days %d are counted and %d listed", v.Days, v.All(), listed[v.Days])
			}
		}
		return nil
	})

	return counts, listed
}

// TestForecastEdges: a phone may vanish 30 days after the last message between it and the number, to the minute, and the counts are
// the lists (domain facts 4).
func TestForecastEdges(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "m1", phone: "919800000101"}) // at storyStart
	last := time.Unix(storyStart, 0).UTC().Truncate(time.Minute)
	const day = 24 * time.Hour
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{0, "7: 0/0 14: 0/0 30: 1/1 "},
		{time.Minute, "7: 0/0 14: 0/0 30: 1/1 "},
		{16*day - time.Second, "7: 0/0 14: 0/0 30: 1/1 "},
		{16 * day, "7: 0/0 14: 1/1 30: 1/1 "},
		{23*day - time.Second, "7: 0/0 14: 1/1 30: 1/1 "},
		{23 * day, "7: 1/1 14: 1/1 30: 1/1 "},
		{29*day + 23*time.Hour + 59*time.Minute, "7: 1/1 14: 1/1 30: 1/1 "},
		{30*day - time.Second, "7: 1/1 14: 1/1 30: 1/1 "},
		{30 * day, "7: 0/0 14: 0/0 30: 0/0 "},
		{31 * day, "7: 0/0 14: 0/0 30: 0/0 "},
	} {
		if got, _ := w.forecast(last.Add(c.after), mainNumber); got != c.want {
			t.Errorf("%v after: got %q, want %q", c.after, got, c.want)
		}
	}
	if got, _ := w.forecast(last.Add(day), otherNumber); got != "7: 0/0 14: 0/0 30: 0/0 " {
		t.Errorf("at another number: got %q, want nobody", got)
	}
}

// TestForecastKnowsWhatKeepsAPhone: what went to the phone, or came from it, begins the 30 days anew; what hides it does not, and neither
// does a message to the WhatsApp ID, a failed one or a group's. A WhatsApp ID that becomes known takes the fear away.
func TestForecastKnowsWhatKeepsAPhone(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	const now = 40 // days after the story began
	for i, c := range []struct {
		what string
		then []event
		want string
	}{
		{"nothing since", nil, "7: 0/0 14: 0/0 30: 0/0 "},
		{"a message from the phone", []event{{wamid: "m2", at: 15, phone: "919800000101"}}, "7: 1/1 14: 1/1 30: 1/1 "},
		{"a message from the phone with its ID", []event{{wamid: "m2", at: 15, phone: "919800000101", bsuid: "IN.1"}}, "7: 0/1 14: 0/1 30: 0/1 "},
		{"a message sent to the phone", []event{{wamid: "o1", at: 20, status: "sent", phone: "919800000101"}}, "7: 0/0 14: 1/1 30: 1/1 "},
		{"one that was only delivered later", []event{{wamid: "o1", at: 20, status: "delivered", phone: "919800000101"}}, "7: 0/0 14: 0/0 30: 0/0 "},
		{"one that failed", []event{{wamid: "o1", at: 20, status: "failed", phone: "919800000101"}}, "7: 0/0 14: 0/0 30: 0/0 "},
		{"a message without the phone", []event{{wamid: "m2", at: 15, phone: "919800000101", bsuid: "IN.1"}, {wamid: "m3", at: 30, bsuid: "IN.1"}}, "7: 0/1 14: 0/1 30: 0/1 "},
		{"a message at another number", []event{{wamid: "m2", at: 15, phone: "919800000101", number: otherNumber}}, "7: 0/0 14: 0/0 30: 0/0 "},
		{"an older one that comes late", []event{{wamid: "m2", at: 20, phone: "919800000101"}, {wamid: "m3", at: 12, phone: "919800000101"}}, "7: 0/0 14: 1/1 30: 1/1 "},
	} {
		w := newWorld(t, db, fmt.Sprintf("keeps-%d", i))
		w.feed(event{wamid: "m1", phone: "919800000101"})
		for _, e := range c.then {
			w.feed(e)
		}
		at := time.Unix(storyStart, 0).Add(now * 24 * time.Hour)
		if got, _ := w.forecast(at, mainNumber); got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
		w.checkHeard(t)
	}
}

// TestForecastFollowsUndo: where WhatsApp's link of a phone with an ID is taken back, the ID is no longer known.
func TestForecastFollowsUndo(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "m1", phone: "919800000101"})
	w.feed(event{wamid: "m2", at: 1, phone: "919800000101", bsuid: "IN.1"})
	now := time.Unix(storyStart, 0).Add(25 * 24 * time.Hour)
	if got, _ := w.forecast(now, mainNumber); got != "7: 0/1 14: 0/1 30: 0/1 " {
		t.Errorf("with the ID: got %q", got)
	}
	var link uuid.UUID
	w.as(func(tx *tenants.Tx) error {
		if err := tx.GetContext(t.Context(), &link, `SELECT id FROM links WHERE kind = 'attested' AND undone_at IS NULL ORDER BY at LIMIT 1`); err != nil {
			return err
		}
		_, err := identity.Undo(t.Context(), tx, meera, link, true)
		return err
	})
	if got, _ := w.forecast(now, mainNumber); got != "7: 1/1 14: 1/1 30: 1/1 " {
		t.Errorf("once it is cut: got %q", got)
	}
	w.checkHeard(t)
}
