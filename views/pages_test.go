package views_test

import (
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"github.com/pehchan/pehchan/views/audit"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/home"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/numbers"
	"github.com/pehchan/pehchan/views/operator"
	"github.com/pehchan/pehchan/views/settings"
	"github.com/pehchan/pehchan/views/signin"
	"github.com/pehchan/pehchan/views/team"
)

// every is each page, filled and empty.
func every() map[string]templ.Component {
	broken := connected()
	broken.TokenProblem = "token_expired"
	first := numberHome()
	first.Number, first.Checks, first.Meter = waiting(), nil, numbers.Meter{}
	ill := health()
	ill.Number.WrongSecret, ill.Number.QuietSince, ill.Items, ill.Drift = true, ago(9*time.Hour), nil, nil
	all := map[string]templ.Component{
		"login":         signin.LoginPage(signin.Login{Frame: stranger("Sign in"), Next: "/home"}),
		"login refused": signin.LoginPage(signin.Login{Frame: stranger("Sign in"), Email: "a@b.example", Failed: "refused"}),
		"choose":        signin.ChoosePage(signin.Choose{Frame: stranger("Choose"), Items: []signin.Belonging{{ID: "1", Name: "Asha Clinic", Role: "owner"}}}),
		"home":          home.HomePage(home.Home{Frame: member("Home"), Now: now, Density: "shop", Numbers: []numbers.Number{connected(), waiting(), broken}, Open: 3, OldestOpen: ago(time.Hour), CanDecide: true, CanConnect: true, Changes: []home.Change{{Kind: "rotated", Name: "Priya", At: ago(time.Hour), Href: "/contacts/1"}}}),
		"home empty":    home.HomePage(home.Home{Frame: member("Home"), Now: now}),
		"home team":     home.HomePage(home.Home{Frame: member("Home"), Now: now, Density: "team", Numbers: []numbers.Number{connected()}, Open: 37, OldestOpen: ago(time.Hour), Figures: home.Figures{People: 100, WithID: 88, Hidden: 10, Ages: home.Ages{Hour: 30, Older: 7}, Received: 9}}),
		"numbers":       numbers.NumbersPage(numbers.Numbers{Frame: member("Numbers"), Now: now, Items: []numbers.Number{connected(), waiting(), broken}, CanConnect: true}),
		"numbers empty": numbers.NumbersPage(numbers.Numbers{Frame: member("Numbers"), Now: now, CanConnect: true}),
		"doors":         numbers.NumberNewPage(numbers.NumberNew{Frame: member("Connect")}),
		"manual":        numbers.NumberManualPage(numbers.NumberManual{Frame: member("Connect"), Apps: []string{"demo"}, Checks: numberHome().Checks, Form: components.Filled{Failed: "checks"}}),
		"manual no app": numbers.NumberManualPage(numbers.NumberManual{Frame: member("Connect"), CanApps: true}),
		"number":        numbers.NumberPage(numberHome()),
		"number first":  numbers.NumberPage(first),
		"health":        numbers.HealthPage(health()),
		"health ill":    numbers.HealthPage(ill),
		"raw":           numbers.RawItemPage(numbers.RawItem{Frame: member("Event"), Now: now, Number: connected(), Item: health().Items[0], Raw: "{}", CanReplay: true}),
		"apps":          numbers.AppsPage(apps()),
		"apps empty":    numbers.AppsPage(numbers.Apps{Frame: member("Apps"), Now: now}),
		"team":          team.TeamPage(teamSample()),
		"audit":         audit.AuditPage(auditSample()),
		"audit empty":   audit.AuditPage(audit.Audit{Frame: member("Audit"), Now: now, Scope: "own"}),
		"settings":      settings.SettingsPage(settings.Settings{Frame: member("Settings"), CanChange: true, Now: now, Mails: &settings.MailChoices{Alerts: true}, Devices: []signin.Device{{Handle: "a1", Agent: "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36", Address: "192.0.2.7", Place: "Asha Clinic", Seen: now, Here: true}, {Handle: "b2", Agent: "curl/8", Seen: ago(time.Hour)}}, Zones: []string{"Asia/Kolkata"}, Business: settings.BusinessSettings{Name: "Asha Clinic", Timezone: "Asia/Kolkata"}}),
		"forgot":        signin.ForgotPage(signin.Forgot{Frame: stranger("Password"), Over: true, Wait: time.Minute}),
		"forgot sent":   signin.ForgotPage(signin.Forgot{Frame: stranger("Password"), Sent: true}),
		"reset":         signin.ResetPage(signin.Reset{Frame: stranger("Password"), Token: "x", Email: "asha@clinic.example"}),
		"invitation":    team.InvitationPage(team.Invitation{Frame: stranger("Join"), Token: "x", Business: "Asha Clinic", By: "Meera <b>", Role: "agent", Email: "joseph@clinic.example"}),
		"invited known": team.InvitationPage(team.Invitation{Frame: stranger("Join"), Token: "x", Business: "Asha Clinic", By: "Meera", Role: "owner", Email: "joseph@clinic.example", Known: true}),
		"invite other":  team.InvitationPage(team.Invitation{Frame: stranger("Join"), Token: "x", Business: "Asha Clinic", By: "Meera", Role: "owner", Email: "joseph@clinic.example", Known: true, Me: "a@b.example"}),
		"invite mine":   team.InvitationPage(team.Invitation{Frame: stranger("Join"), Token: "x", Business: "Asha Clinic", By: "Meera", Role: "owner", Email: "joseph@clinic.example", Known: true, Me: "joseph@clinic.example", MayJoin: true}),
		"invite over":   team.InvitationPage(team.Invitation{Frame: stranger("Join"), Over: true}),
		"leave":         settings.LeavePage(settings.Leave{Frame: stranger("Leave"), Kind: "alerts", Token: "x"}),
		"left":          settings.LeavePage(settings.Leave{Frame: stranger("Leave"), Kind: "digest", Done: true}),
		"keys":          settings.KeysPage(keys()),
		"more":          home.MorePage(home.More{Frame: member("More")}),
		"help":          home.HelpPage(home.Help{Frame: member("Help")}),
		"op":            operator.FleetPage(operator.Fleet{Frame: member("Businesses"), Now: now, Total: numbers.Meter{Received: 3, Routed: 1, Held: 2}, Items: []operator.Business{{Name: "Asha Clinic", Slug: "asha-clinic", State: "active"}, {Name: "Ravi Motors", Slug: "ravi-motors", State: "suspended"}}}),
		"held":          operator.HeldPage(operator.Held{Frame: member("Held"), Now: now, Total: 2, Items: []operator.HeldGroup{{WABAID: "210", App: "demo", Reason: "wrong_app", Count: 2, Last: now, First: now}}}),
		"held empty":    operator.HeldPage(operator.Held{Frame: member("Held"), Now: now}),
		"held unowned":  operator.HeldPage(operator.Held{Frame: member("Held"), Now: now, UnownedTotal: 1, Unowned: []operator.UnownedItem{{App: "demo", Kind: "delivery", Reason: "unparsable", Bytes: 1234, At: now}}}),
	}
	maps.Copy(all, resolving())
	for _, status := range []int{403, 404, 409, 413, 422, 429, 500, 502, 503} {
		all["error "+strconv.Itoa(status)] = layout.ErrorPage(layout.Error{Frame: stranger("Error"), Status: status, Reference: "r-1"})
	}
	return all
}

// What must hold on each page in each language: one title, labels for all
// that asks, a way for each form to prove where it came from, nothing inline,
// no id twice, and no word of the other language's catalogue missing.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	for name, page := range every() {
		for _, lang := range []string{"en", "hi"} {
			t.Run(name+" "+lang, func(t *testing.T) {
				t.Parallel()
				doc := render(t, lang, page)
				if got := doc.Find("main h1, h1").Length(); got != 1 {
					t.Errorf("%d main titles, want 1", got)
				}
				doc.Find("form[method=post]").Each(func(_ int, form *goquery.Selection) {
					if form.Find("[name=_csrf]").AttrOr("value", "") != "t-1" || form.Find("[name=_once]").Length() != 1 {
						t.Errorf("form to %s lacks its token or once key", form.AttrOr("action", ""))
					}
				})
				doc.Find("main :is(input:not([type=hidden]), select, textarea)").Each(func(_ int, field *goquery.Selection) {
					labelled := field.AttrOr("aria-label", "") != "" || field.Closest("label").Length() > 0 || doc.Find(`label[for="`+field.AttrOr("id", "-")+`"]`).Length() == 1
					if !labelled {
						t.Errorf("field %s has no label", field.AttrOr("name", ""))
					}
				})
				if doc.Find("[style], main script, main style").Length() != 0 {
					t.Error("page has inline style or script")
				}
				seen := map[string]bool{}
				doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
					id := s.AttrOr("id", "")
					if seen[id] && id != "form-errors" {
						t.Errorf("id %q is there twice", id)
					}
					seen[id] = true
				})
				hasHindi := strings.ContainsFunc(text(doc.Find("main")), func(r rune) bool { return unicode.Is(unicode.Devanagari, r) })
				if lang == "hi" && !hasHindi {
					t.Error("Hindi page without Hindi")
				}
				if lang == "en" && hasHindi && doc.Find("[data-testid=error-twice]").Length() == 0 && doc.Find("main [lang=hi]").Length() == 0 {
					t.Error("English page with Hindi")
				}
			})
		}
	}
}

func TestLoginNeverSaysWhichOfTheTwoWasWrong(t *testing.T) {
	t.Parallel()
	doc := render(t, "en", signin.LoginPage(signin.Login{Frame: stranger("Sign in"), Email: "a@b.example", Next: "/numbers", Failed: "refused"}))
	if got := text(doc.Find("#form-errors")); got != "E-mail and password do not go together. Please check both." {
		t.Errorf("says %q", got)
	}
	if got := find(t, doc, "field-email").AttrOr("value", ""); got != "a@b.example" {
		t.Errorf("e-mail came back as %q", got)
	}
	if find(t, doc, "field-password").AttrOr("value", "") != "" {
		t.Error("password was filled in again")
	}
	if got := doc.Find("[name=next]").Last().AttrOr("value", ""); got != "/numbers" {
		t.Errorf("next = %q, want /numbers", got)
	}
}

func TestHomeSaysInOneSentenceHowItStands(t *testing.T) {
	t.Parallel()
	broken := connected()
	broken.TokenProblem = "token_expired"
	silent, refused := connected(), connected()
	silent.QuietSince, refused.WrongSecret = ago(9*time.Hour), true
	for _, c := range []struct {
		what  string
		page  home.Home
		want  string
		tasks []string
	}{
		{"quiet", home.Home{Numbers: []numbers.Number{connected()}, CanDecide: true, CanConnect: true}, "All is well. Everybody who wrote is known.", nil},
		{"new", home.Home{CanConnect: true}, "Welcome. Nothing is connected yet.", []string{"task-connect"}},
		{"new, may not connect", home.Home{}, "Welcome. Nothing is connected yet.", nil},
		{"work", home.Home{Numbers: []numbers.Number{connected(), waiting()}, Open: 1, OldestOpen: ago(time.Hour), CanDecide: true, CanConnect: true}, "All is well. 1 customer is waiting to be recognised.", []string{"task-decide", "task-first"}},
		{"work of others", home.Home{Numbers: []numbers.Number{connected()}, Open: 3, OldestOpen: ago(time.Hour)}, "All is well. 3 customers are waiting to be recognised.", nil},
		{"silent", home.Home{Numbers: []numbers.Number{silent}, CanConnect: true}, "Something needs you today: a number cannot work as it should. Everybody who wrote is known.", []string{"task-silent"}},
		{"refused", home.Home{Numbers: []numbers.Number{refused}, CanConnect: true}, "Something needs you today: a number cannot work as it should. Everybody who wrote is known.", []string{"task-secret"}},
		{"set aside", home.Home{Numbers: []numbers.Number{connected()}, SetAside: 1}, "1 event could not be read: somebody should look at it. Everybody who wrote is known.", nil},
		{"set aside, to be looked at", home.Home{Numbers: []numbers.Number{connected()}, SetAside: 2, CanIngest: true}, "2 events could not be read: somebody should look at them. Everybody who wrote is known.", []string{"task-aside"}},
		{"unanswered", home.Home{Numbers: []numbers.Number{connected()}, Unanswered: 2, CanAnswer: true}, "All is well. Everybody who wrote is known.", []string{"task-answer"}},
		{"unanswered, of no concern", home.Home{Numbers: []numbers.Number{connected()}, Unanswered: 2}, "All is well. Everybody who wrote is known.", nil},
		{"trouble", home.Home{Numbers: []numbers.Number{broken, waiting()}, Open: 3, OldestOpen: ago(time.Hour), SetAside: 2, CanDecide: true, CanConnect: true, CanIngest: true}, "Something needs you today: a number cannot work as it should. 3 customers are waiting to be recognised.", []string{"task-token", "task-decide", "task-first"}},
	} {
		c.page.Frame, c.page.Now = member("Home"), now
		doc := render(t, "en", home.HomePage(c.page))
		if got := text(find(t, doc, "verdict")); got != c.want {
			t.Errorf("%s: says %q, want %q", c.what, got, c.want)
		}
		var tasks []string
		doc.Find(".card[data-testid^=task-]").Each(func(_ int, s *goquery.Selection) { tasks = append(tasks, s.AttrOr("data-testid", "")) })
		if strings.Join(tasks, " ") != strings.Join(c.tasks, " ") {
			t.Errorf("%s: tasks %v, want %v", c.what, tasks, c.tasks)
		}
		if got, want := doc.Find("main .card.needs").Length(), min(1, len(c.tasks)); got != want {
			t.Errorf("%s: %d cards in marigold, want %d", c.what, got, want)
		}
	}
}

func TestHealthShowsTheEquationAndWhatIsSetAside(t *testing.T) {
	t.Parallel()
	doc := render(t, "en", numbers.HealthPage(health()))
	var figures []string
	find(t, doc, "equation").Find(".n").Each(func(_ int, s *goquery.Selection) { figures = append(figures, s.Text()) })
	if got, want := strings.Join(figures, " "), "48,211 48,209 0 2 0"; got != want {
		t.Errorf("equation has the figures %q, want %q", got, want)
	}
	if got := text(find(t, doc, "item-7")); !strings.Contains(got, "It is not in the form WhatsApp documents.") {
		t.Errorf("item reads %q, want its reason in words", got)
	}
	if got := find(t, doc, "replay-7").AttrOr("value", ""); got != "7" {
		t.Errorf("replays %q, want item 7", got)
	}
	if got := text(find(t, doc, "rate")); !strings.Contains(got, "7 in the last full minute, 9 in the last hour") {
		t.Errorf("rate reads %q", got)
	}
	if got := doc.Find(".bars path").Length(); got != 2 {
		t.Errorf("%d charts, want one of minutes and one of hours", got)
	}
	for field, want := range map[string]string{"messages": "48,000", "calls": "never yet", "standby": "Stored as it comes."} {
		if got := text(find(t, doc, "field-"+field)); !strings.Contains(got, want) {
			t.Errorf("field %s reads %q, want %q in it", field, got, want)
		}
	}

	doc = render(t, "en", numbers.NumberPage(numberHome()))
	if got := text(find(t, doc, "check-scopes")); !strings.Contains(got, "x_y") {
		t.Errorf("failed check reads %q, want the missing scope", got)
	}

	reader := numberHome()
	reader.CanConnect = false
	doc = render(t, "en", numbers.NumberPage(reader))
	if got := doc.Find("main form[method=post]").Length(); got != 0 {
		t.Errorf("a reader is offered %d forms", got)
	}
}

func TestLostEventsAreSaidAloud(t *testing.T) {
	t.Parallel()
	p := numberHome()
	p.Meter = numbers.Meter{Received: 10, Routed: 9}
	doc := render(t, "en", numbers.NumberPage(p))
	if got := text(find(t, doc, "meter")); !strings.Contains(got, "1 event is missing") {
		t.Errorf("meter reads %q, want the missing event named", got)
	}
}

func TestWaitingNumberWatchesForItsFirstEvent(t *testing.T) {
	t.Parallel()
	p := numberHome()
	p.Number = waiting()
	doc := render(t, "hi", numbers.NumberPage(p))
	if got := text(find(t, doc, "first-event")); !strings.Contains(got, "+91 98000 00481") {
		t.Errorf("panel reads %q, want the number to write to", got)
	}
	if live := doc.Find("#live"); live.AttrOr("hx-get", "") != "/numbers/n2/live" || live.AttrOr("data-live", "") != "3" {
		t.Error("the panel does not ask again by itself")
	}
}

func TestTeamGuardsItsLastOwner(t *testing.T) {
	t.Parallel()
	doc := render(t, "en", team.TeamPage(teamSample()))
	owner := find(t, doc, "member-1")
	if owner.Find("form").Length() != 0 {
		t.Error("the only owner can be changed or removed")
	}
	agent := find(t, doc, "member-2")
	if agent.Find("[data-testid=role-2] option[selected]").AttrOr("value", "") != "agent" || agent.Find("a[href='/team/2/leave']").Length() != 1 {
		t.Error("the agent cannot be changed or removed")
	}
	if got := agent.Find("bdi.name").Text(); got != "Joseph <b>" {
		t.Errorf("name reads %q", got)
	}
	reader := teamSample()
	reader.CanAdd = false
	reader.Items[1].CanChange = false
	if got := render(t, "en", team.TeamPage(reader)).Find("main form").Length(); got != 0 {
		t.Errorf("a reader is offered %d forms", got)
	}
}

func TestFormsComeBackWithWordsAndWithoutSecrets(t *testing.T) {
	t.Parallel()
	p := apps()
	p.Rotating = "asha-own"
	p.Form = components.Filled{Wrong: map[string]string{"app_secret": "secret"}, Failed: "no_such_reason"}
	doc := render(t, "en", numbers.AppsPage(p))
	rotate := find(t, doc, "rotate-asha-own")
	if _, open := rotate.Attr("open"); !open {
		t.Error("the form that came back is closed")
	}
	if rotate.Find("[data-testid=wrong-app_secret]").Length() != 1 || find(t, doc, "app-add").Find("[data-testid=wrong-app_secret]").Length() != 0 {
		t.Error("the wrong form says what is wrong")
	}
	if got := text(rotate.Find("#form-errors")); got != "This was not accepted. Please check it and try again." {
		t.Errorf("unknown reason reads %q", got)
	}
	doc.Find("input[type=password]").Each(func(_ int, s *goquery.Selection) {
		if s.AttrOr("value", "") != "" {
			t.Errorf("secret field %s is filled in", s.AttrOr("name", ""))
		}
	})
}

func TestAuditNamesActsAndKeepsUnknownOnesReadable(t *testing.T) {
	t.Parallel()
	p := auditSample()
	p.Verified = &audit.ChainCheck{Entries: 2, Broken: 1}
	doc := render(t, "en", audit.AuditPage(p))
	entries := doc.Find("[data-testid=entry]")
	if got := text(entries.First()); !strings.HasPrefix(got, "Two contacts merged Priya <i>") {
		t.Errorf("entry reads %q", got)
	}
	if got := text(entries.Last()); !strings.HasPrefix(got, "something.new") || !strings.Contains(got, "Pehchan itself") {
		t.Errorf("entry reads %q, want its code and the product as actor", got)
	}
	if got := text(find(t, doc, "verified")); !strings.HasPrefix(got, "Entry 1 does not fit") {
		t.Errorf("check reads %q, want the broken entry", got)
	}
}

func TestKeyIsShownOnce(t *testing.T) {
	t.Parallel()
	p := keys()
	if render(t, "en", settings.KeysPage(p)).Find("[data-testid=fresh-key]").Length() != 0 {
		t.Error("a key is shown although none was made")
	}
	p.Fresh = "pk_secret"
	doc := render(t, "en", settings.KeysPage(p))
	if got := find(t, doc, "fresh-key").Find("code").Text(); got != "pk_secret" {
		t.Errorf("shows %q", got)
	}
	if doc.Find("[data-testid=revoke-open-2]").Length() != 0 {
		t.Error("an ended key can be ended again")
	}
}

func TestErrorsSpeakBothLanguages(t *testing.T) {
	t.Parallel()
	doc := render(t, "hi", layout.ErrorPage(layout.Error{Frame: stranger("Error"), Status: 409, Code: "last_owner", Reference: "r-1"}))
	if got := doc.Find("h1").Text(); got != "इस बीच कुछ बदल गया" {
		t.Errorf("title = %q", got)
	}
	twice := find(t, doc, "error-twice")
	if twice.AttrOr("lang", "") != "en" || !strings.Contains(text(twice), "A business needs at least one owner.") {
		t.Errorf("second language reads %q", text(twice))
	}
	if got := find(t, doc, "reference").Text(); got != "r-1" {
		t.Errorf("reference = %q", got)
	}
	if got := render(t, "en", layout.ErrorPage(layout.Error{Frame: stranger("Error"), Status: 418})).Find("h1").Text(); got != "Something went wrong on our side" {
		t.Errorf("unknown status reads %q", got)
	}
}

func TestDevicesAreNamed(t *testing.T) {
	t.Parallel()
	p := settings.Settings{Frame: member("Settings"), Now: now}
	for handle, agent := range map[string]string{
		"chrome":  "Mozilla/5.0 (Linux; Android 14; SM-A245F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
		"edge":    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
		"safari":  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
		"firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
		"curl":    "curl/8.10",
	} {
		p.Devices = append(p.Devices, signin.Device{Handle: handle, Agent: agent, Seen: now})
	}
	doc := render(t, "en", settings.SettingsPage(p))
	for handle, want := range map[string]string{
		"chrome": "Chrome on Android", "edge": "Edge on Windows", "safari": "Safari on iPhone", "firefox": "Firefox on Linux", "curl": "A device that does not say what it is",
	} {
		if got := text(find(t, doc, "device-"+handle)); !strings.Contains(got, want) {
			t.Errorf("%s reads %q, want %q", handle, got, want)
		}
	}
}
