package views_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/views/home"
	"github.com/pehchan/pehchan/views/numbers"
)

func signupSample(way string, outcome *numbers.SignupOutcome) numbers.Signup {
	return numbers.Signup{
		Frame: member("Connect"), Way: way, AppID: "634000000000001", Config: "634000000000777", Version: "v26.0", SDK: "https://connect.facebook.net/en_US/sdk.js",
		Origins: []string{"https://www.facebook.com", "https://web.facebook.com"}, Outcome: outcome,
	}
}

func TestEveryEndOfTheWindowIsSaid(t *testing.T) {
	t.Parallel()

	seen := map[string]string{}
	for _, o := range []numbers.SignupOutcome{
		{Was: "closed"},
		{Was: "cancelled", Step: "PHONE_NUMBER_SETUP"},
		{Was: "error", Copy: "524126"},
		{Was: "no_account_chosen"},
		{Failed: "signup_no_code"},
		{Failed: "signup_expired"},
		{Failed: "signup_used"},
		{Failed: "signup_refused"},
		{Failed: "signup_away"},
		{Failed: "signup_no_account"},
		{Failed: "signup_which_account"},
		{Failed: "signup_other_account"},
		{Failed: "signup_no_number"},
		{Failed: "signup_which_number"},
		{Failed: "number_taken"},
		{Failed: "portfolio_differs"},
		{Failed: "checks"},
	} {
		name := o.Was + o.Failed
		for _, lang := range []string{"en", "hi"} {
			for _, way := range []string{"keep", "fresh"} {
				doc := render(t, lang, numbers.SignupPage(signupSample(way, &o)))
				said := strings.TrimSpace(doc.Find(`[data-testid="outcome"]`).Text())
				if said == "" {
					t.Errorf("%s in %s: nothing is said", name, lang)
				}
				if other, ok := seen[lang+said]; ok && other != name {
					t.Errorf("%s and %s read alike in %s: %q", name, other, lang, said)
				}
				seen[lang+said] = name
				if got := doc.Find(`[data-testid="open-window"]`).Length(); got != 1 {
					t.Errorf("%s in %s: %d buttons to try again, want one", name, lang, got)
				}
			}
		}
	}
}

func TestNumberOfTheAppShowsWhatItBrings(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	number := numbers.Number{ID: "1", Phone: "15550199061", State: "connected", OnApp: true, Onboarded: now, HasToken: true, MayRenew: true}
	asked := &numbers.Brought{AskedAt: now, Here: 3, Percent: 70}
	for name, c := range map[string]struct {
		sync *numbers.AppSync
		want string
		pace string
	}{
		"offered":  {&numbers.AppSync{Until: now.Add(time.Hour)}, `[data-testid="sync-go"]`, "15"},
		"coming":   {&numbers.AppSync{Contacts: asked, History: asked}, `[data-testid="brought-history"] progress`, "3"},
		"done":     {&numbers.AppSync{Contacts: asked, History: &numbers.Brought{AskedAt: now, Here: 8, Percent: 100}}, `[data-testid="brought-history"]:contains("All of it has come")`, "15"},
		"declined": {&numbers.AppSync{Contacts: asked, History: &numbers.Brought{AskedAt: now, Declined: true}}, `[data-testid="brought-history"]:contains("Not shared")`, "15"},
	} {
		doc := render(t, "en", numbers.NumberPage(numbers.NumberHome{Frame: member("Number"), Now: now, Number: number, Sync: c.sync, CanConnect: true}))
		if doc.Find(c.want).Length() != 1 {
			t.Errorf("%s: want %s on the page", name, c.want)
		}
		if got := doc.Find("#live").AttrOr("data-live", ""); got != c.pace {
			t.Errorf("%s: asks again every %s seconds, want %s", name, got, c.pace)
		}
	}
	late := render(t, "en", numbers.NumberPage(numbers.NumberHome{Frame: member("Number"), Now: now, Number: number, Sync: &numbers.AppSync{Until: now}, CanConnect: true}))
	if late.Find(`[data-testid="sync-go"]`).Length() != 0 {
		t.Error("after 24 hours: Meta can still be asked")
	}
}

func TestDisconnectedNumberCountsDown(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		left time.Duration
		want string
	}{{30 * 24 * time.Hour, "30 days left."}, {25 * time.Hour, "2 days left."}, {time.Minute, "1 day left."}} {
		number := numbers.Number{ID: "1", Phone: "15550199062", State: "disconnected", GraceUntil: now.Add(c.left)}
		doc := render(t, "en", numbers.NumberPage(numbers.NumberHome{Frame: member("Number"), Now: now, Number: number, CanConnect: true}))
		if got := doc.Find(`[data-testid="grace"]`).Text(); !strings.Contains(got, c.want) {
			t.Errorf("%s before the end: %q, want %q in it", c.left, got, c.want)
		}
	}
	number := numbers.Number{ID: "1", Phone: "15550199062", State: "disconnected"}
	doc := render(t, "en", numbers.NumberPage(numbers.NumberHome{Frame: member("Number"), Now: now, Number: number, CanConnect: true}))
	if doc.Find(`[data-testid="reconnect"]`).Length() != 0 {
		t.Error("after its grace a number offers to come back")
	}
}

func TestTokenThatEndsIsSaidAtHome(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		number numbers.Number
		want   string
	}{
		"in ten days": {numbers.Number{TokenExpires: now.Add(240 * time.Hour)}, "do-expiring"},
		"over":        {numbers.Number{TokenExpires: now.Add(-time.Hour)}, "do-token"},
		"refused":     {numbers.Number{TokenProblem: "token_invalid"}, "do-token"},
	} {
		n := c.number
		n.ID, n.Phone, n.State, n.HasToken, n.FirstEvent = "1", "15550199061", "connected", true, now
		doc := render(t, "hi", home.HomePage(home.Home{Frame: member("Home"), Now: now, Numbers: []numbers.Number{n}, CanConnect: true, CanNumbers: true}))
		if doc.Find(`[data-testid="`+c.want+`"]`).Length() != 1 {
			t.Errorf("%s: home does not say so", name)
		}
	}
}
