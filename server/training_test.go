package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
)

func bank(t *testing.T) *content.Bank {
	t.Helper()
	b, err := content.Shipped()
	if err != nil {
		t.Fatal(err)
	}

	return b
}

// items are the questions of a quiz.
func (st *site) items(t *testing.T, quiz string) (items []content.Item) {
	t.Helper()
	id := uuid.MustParse(quiz[strings.LastIndexByte(quiz, '/')+1:])
	err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		q, err := training.GetQuiz(t.Context(), tx, id, uuid.Nil)
		for _, key := range q.Items {
			item, _ := bank(t).Item(key)
			items = append(items, item)
		}

		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return items
}

// answers are right ones, as the form sends them.
func answers(items []content.Item) url.Values {
	form := url.Values{}
	for _, item := range items {
		for n, id := range item.Order {
			form.Set("a_"+item.ID+"_"+string(rune('1'+n)), id)
		}
		for _, o := range item.Options {
			if o.Right {
				form.Set("a_"+item.ID, o.ID)
			}
		}
	}

	return form
}

// learns has somebody read every lesson of an agent.
func (b *browser) learns() {
	b.t.Helper()
	for _, l := range training.Lessons(bank(b.t), "agent") {
		page := b.get("/prep/learn/" + l.ID)
		b.has(page, http.StatusOK, `data-testid="lesson"`, `data-testid="mark-read"`)
		seq := regexp.MustCompile(`name="seq" value="(\d+)"`).FindStringSubmatch(page.body)
		if r := b.post("/prep/learn/"+l.ID, url.Values{"seq": {seq[1]}}); r.status != http.StatusSeeOther {
			b.t.Fatalf("read %s: got %d", l.ID, r.status)
		}
	}
}

// passes has somebody start what is to be answered and answer it rightly.
func (b *browser) passes(st *site, kind string) (quiz string) {
	b.t.Helper()
	b.get("/prep/learn")
	quiz = b.post("/prep/quiz", url.Values{"kind": {kind}}).header.Get("Location")
	b.has(b.get(quiz), http.StatusOK, `data-testid="quiz-form"`)
	b.want(b.post(quiz, answers(st.items(b.t, quiz))), http.StatusSeeOther, quiz)

	return quiz
}

// practises has somebody pass as many practice chats as are needed.
func (b *browser) practises() {
	b.t.Helper()
	drills := bank(b.t).Drills
	for _, d := range drills[:min(training.DrillsNeeded, len(drills))] {
		b.has(b.get("/prep/drill/"+d.ID), http.StatusOK, `data-testid="start-drill"`)
		chat := b.post("/prep/drill/"+d.ID, nil).header.Get("Location")
		step := d.Variants[0].Begin()
		for at := 0; ; at++ {
			b.has(b.get(chat), http.StatusOK, `data-testid="drill-form"`)
			said := step.Model.EN
			for _, c := range step.Choices {
				if c.Right {
					said = c.ID
				}
			}
			b.want(b.post(chat, url.Values{"answer": {said}, "at": {string(rune('0' + at))}}), http.StatusSeeOther, chat)
			next, done, err := d.Variants[0].After(step, content.Grade(step, said))
			if err != nil {
				b.t.Fatal(err)
			}
			if done {
				break
			}
			step = next
		}
		b.has(b.get(chat), http.StatusOK, `data-testid="drill-result"`, "Passed")
	}
}

func TestSomebodyGetsReady(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "mohan", "marketing")
	meera, asha, mohan := st.signedIn(t, "meera"), st.signedIn(t, "asha"), st.signedIn(t, "mohan")

	learn := meera.get("/prep/learn")
	meera.has(learn, http.StatusOK, "Not ready", "The quiz has not been answered yet", `data-testid="start-quiz"`)
	meera.learns()
	quiz := meera.post("/prep/quiz", url.Values{"kind": {"quiz"}}).header.Get("Location")
	items := st.items(t, quiz)

	// What is missing is said, and what was answered is kept.
	form := answers(items)
	first := slices.IndexFunc(items, func(i content.Item) bool { return i.Format != content.Order })
	form.Del("a_" + items[first].ID)
	missing := meera.post(quiz, form)
	meera.has(missing, http.StatusUnprocessableEntity, "One or more answers are missing", `data-testid="wrong-`+items[first].ID+`"`)
	if n := strings.Count(missing.body, " checked"); n < 5 {
		t.Errorf("got %d answers kept", n)
	}
	for _, item := range items {
		if o := slices.IndexFunc(item.Options, func(o content.Option) bool { return o.Right }); o >= 0 && strings.Contains(meera.get(quiz).body, item.Options[o].Why.EN) {
			t.Errorf("%s: the page tells the answer before it is given", item.ID)
		}
	}
	meera.want(meera.post(quiz, answers(items)), http.StatusSeeOther, quiz)
	meera.has(meera.get(quiz), http.StatusOK, `data-testid="result"`, "Passed", "10 of 10 right")
	meera.want(meera.post(quiz, answers(items)), http.StatusSeeOther, quiz) // pressed again
	meera.practises()
	meera.has(meera.get("/prep/learn"), http.StatusOK, "You can answer customers safely.", "Start the refresher")

	// The owner sees who and why; others see how many.
	board := asha.get("/prep")
	asha.has(board, http.StatusOK, `data-testid="pupil-meera"`, `data-testid="pupil-mohan"`, "Last quiz: 10 of 10", "1 of 3 people are ready")
	asha.has(asha.get(quiz), http.StatusOK, "meera", "Passed")
	totals := mohan.get("/prep")
	mohan.has(totals, http.StatusOK, "1 of 3 people are ready", `data-testid="mine"`)
	mohan.lacks(totals, "pupil-", "Last quiz", "nudge")
	if r := mohan.get(quiz); r.status != http.StatusNotFound {
		t.Errorf("somebody else's quiz: got %d, want 404", r.status)
	}
	ravi := st.signedIn(t, "ravi")
	if r := ravi.get(quiz); r.status != http.StatusNotFound {
		t.Errorf("another business's quiz: got %d, want 404", r.status)
	}

	// A changed fact re-opens it, and the refresher says first what changed.
	key := items[slices.IndexFunc(items, func(i content.Item) bool { return len(i.Facts) > 0 })].Facts[0]
	st.changes(t, key, "It is different now.")
	meera.has(meera.get("/prep/learn"), http.StatusOK, "Due again", "Changed since the last pass")
	asha.has(asha.get("/prep"), http.StatusOK, "0 of 3 people are ready", "Changed since the last pass")
	again := meera.post("/prep/quiz", url.Values{"kind": {"refresher"}}).header.Get("Location")
	meera.has(meera.get(again), http.StatusOK, `data-testid="changed-facts"`, "It is different now.")
	meera.want(meera.post(again, answers(st.items(t, again))), http.StatusSeeOther, again)
	meera.lacks(meera.get("/prep/learn"), "Changed since the last pass")
}

// changes has the operator change what a fact says.
func (st *site) changes(t *testing.T, key, text string) {
	t.Helper()
	err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
		f, err := facts.Get(t.Context(), tx, key)
		if err != nil {
			return err
		}
		f.TextEN = text
		_, err = facts.Edit(t.Context(), tx, tenants.Actor{Kind: "operator", ID: uuid.NewString(), Name: "Omar"}, facts.Change{Key: key, Version: f.Version, Content: f.Content}, f.VerifiedOn.AddDate(0, 0, 30))

		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNobodyIsRemindedTwiceADay(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	meera := st.member(t, st.clinic, "meera", "agent").String()
	st.member(t, st.clinic, "lata", "lead")
	asha, lata := st.signedIn(t, "asha"), st.signedIn(t, "lata")
	asha.post("/language", url.Values{"lang": {"en"}, "next": {"/prep"}})

	asha.has(asha.get("/prep"), http.StatusOK, `data-testid="nudge-meera"`, `data-testid="nudge-all"`)
	asha.want(asha.post("/prep/nudge/"+meera, nil), http.StatusSeeOther, "/prep")
	asha.has(asha.get("/prep"), http.StatusOK, "meera gets a mail.", "reminded")
	asha.lacks(asha.get("/prep"), `data-testid="nudge-meera"`)
	lata.get("/prep")
	lata.want(lata.post("/prep/nudge/all", nil), http.StatusSeeOther, "/prep") // Asha alone is left
	lata.has(lata.get("/prep"), http.StatusOK, "Mails sent: 1.")
	if r := lata.post("/prep/nudge/"+meera, nil); r.status != http.StatusSeeOther {
		t.Errorf("again: got %d", r.status)
	}
	lata.has(lata.get("/prep"), http.StatusOK, "Nobody to remind")
	if r := asha.post("/prep/nudge/"+uuid.NewString(), nil); r.status != http.StatusSeeOther {
		t.Errorf("nobody: got %d", r.status)
	}

	mails := 0
	for _, l := range st.letters(t, 2) {
		if l.subject == "asha-clinic: a few minutes to be ready" && strings.Contains(l.whole, "learn") {
			mails++
		}
	}
	if mails != 2 {
		t.Errorf("got %d mails of the kind, want 2", mails)
	}
}

func TestPosterInBothLanguages(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	p := bank(t).Poster
	asha.has(asha.get("/prep/poster?lang=hi"), http.StatusOK, p.Do[0].Text.HI, "यह न करें", p.Dont[0].Text.HI)
	asha.has(asha.get("/prep/poster?lang=en"), http.StatusOK, p.Do[0].Text.EN, p.Dont[0].Text.EN)
}

func TestABriefingIsGivenOut(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.shop(t, st.clinic).writes(29, "", "IN.77", "Valentina", "hello")
	st.member(t, st.clinic, "meera", "agent")
	asha, meera, reader := st.signedIn(t, "asha"), st.signedIn(t, "meera"), st.browser(t)

	asha.has(asha.get("/changes"), http.StatusOK, `data-testid="brief-team"`)
	meera.lacks(meera.get("/changes"), `data-testid="brief-team"`)
	meera.lacks(meera.get("/prep"), `data-testid="to-briefing"`)
	page := asha.get("/prep/briefing?for=support&lang=hi")
	asha.has(page, http.StatusOK, "सपोर्ट टीम के लिए", "1 ग्राहकों में से 1 WhatsApp ID", "भारत: ", `data-testid="share-briefing"`)
	asha.has(asha.get("/prep/briefing?for=developer&lang=en"), http.StatusOK, "Briefing for developers", "1 of 1 customers who wrote")

	shared := asha.post("/prep/briefing", url.Values{"audience": {"support"}, "lang": {"hi"}})
	link := regexp.MustCompile(origin + `(/briefing/[A-Za-z0-9_-]{43})`).FindStringSubmatch(shared.body)
	if shared.status != http.StatusOK || link == nil {
		t.Fatalf("got %d and no link", shared.status)
	}
	asha.lacks(asha.get("/prep/briefing"), link[1])
	asha.has(asha.get("/prep/briefing"), http.StatusOK, "opened 0 times")

	// A program that looks at the link is no reader, and learns no figure.
	front := reader.get(link[1])
	reader.has(front, http.StatusOK, "asha-clinic", `data-testid="open-briefing"`)
	reader.lacks(front, "WhatsApp ID")
	if got := front.header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("the link travels on: %q", got)
	}
	reader.want(reader.post(link[1], url.Values{"reader": {"Kiran  at the counter"}}), http.StatusSeeOther, link[1])
	reader.has(reader.get(link[1]), http.StatusOK, `data-testid="briefing"`, "1 ग्राहकों में से 1 WhatsApp ID")
	reader.has(reader.get(link[1]), http.StatusOK, `data-testid="briefing"`)
	other := st.browser(t)
	other.lacks(other.get(link[1]), `data-testid="briefing"`)
	list := asha.get("/prep/briefing")
	asha.has(list, http.StatusOK, "opened 1 time", "Kiran at the counter")

	// Taken back, it is over for everybody; another business can neither see nor take it.
	revoke := regexp.MustCompile(`/prep/briefing/[0-9a-f-]{36}/revoke`).FindString(list.body)
	ravi := st.signedIn(t, "ravi")
	ravi.lacks(ravi.get("/prep/briefing"), "Kiran")
	if r := ravi.post(revoke, nil); r.status != http.StatusNotFound {
		t.Errorf("taken back by another business: got %d", r.status)
	}
	asha.get("/prep/briefing")
	asha.want(asha.post(revoke, nil), http.StatusSeeOther, "/prep/briefing")
	reader.has(reader.get(link[1]), http.StatusGone, `data-testid="over"`)
	reader.has(reader.get("/briefing/nonsense"), http.StatusGone, `data-testid="over"`)
	if r := reader.post(link[1], nil); r.status != http.StatusGone {
		t.Errorf("opened when over: got %d", r.status)
	}
	st.exec(t, `UPDATE briefings SET revoked_at = NULL, expires_at = now()`)
	reader.has(reader.get(link[1]), http.StatusGone, `data-testid="over"`)
}

func TestWhatIsPassedOn(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.shop(t, st.clinic).writes(1, "", "IN.77", "Valentina", "hello")
	st.member(t, st.clinic, "meera", "agent")
	asha, meera, ravi := st.signedIn(t, "asha"), st.signedIn(t, "meera"), st.signedIn(t, "ravi")
	contact := regexp.MustCompile(`href="/contacts/([0-9a-f-]{36})"`).FindStringSubmatch(meera.get("/contacts").body)[1]

	meera.has(meera.get("/contacts/"+contact), http.StatusOK, "/prep/escalations?contact="+contact)
	meera.has(meera.get("/prep/escalations?contact="+contact), http.StatusOK, "Nothing is open.", "About", "Valentina", `data-testid="ladder"`)
	empty := meera.post("/prep/escalations", url.Values{"kind": {"wrong_link"}, "level": {"L2"}, "reason": {" "}, "contact": {contact}})
	meera.has(empty, http.StatusUnprocessableEntity, "Please write something here.", "Valentina")
	for level, reason := range map[string]string{"L2": "Two customers see one order.", "L1": "Wants a call."} {
		form := url.Values{"kind": {"wrong_link"}, "level": {level}, "reason": {reason}, "contact": {contact}}
		meera.want(meera.post("/prep/escalations", form), http.StatusSeeOther, "/prep/escalations")
	}
	if r := meera.post("/prep/escalations", url.Values{"kind": {"press"}, "level": {"L9"}, "reason": {"?"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("no such level: got %d", r.status)
	}
	if r := ravi.get("/prep/escalations?contact=" + contact); r.status != http.StatusNotFound {
		t.Errorf("another business's customer: got %d", r.status)
	}
	ravi.lacks(ravi.get("/prep/escalations"), "Two customers")

	// The agent settles what is theirs, and only sees what has come up to a lead.
	page := meera.get("/prep/escalations")
	meera.has(page, http.StatusOK, "2 are open.", "Wants a call.", "A lead or the owner settles this.", "with nobody yet")
	closing := regexp.MustCompile(`data-testid="close-([0-9a-f-]{36})"`)
	mine := closing.FindAllStringSubmatch(page.body, -1)
	if len(mine) != 1 {
		t.Fatalf("got %d to settle, want the agent's own", len(mine))
	}
	all := closing.FindAllStringSubmatch(asha.get("/prep/escalations").body, -1)
	if len(all) != 2 {
		t.Fatalf("the owner may settle %d, want both", len(all))
	}
	theirs := all[0][1]
	if theirs == mine[0][1] {
		theirs = all[1][1]
	}
	meera.get("/prep/escalations")
	if r := meera.post("/prep/escalations/"+theirs, url.Values{"do": {"close"}, "outcome": {"nothing"}}); r.status != http.StatusForbidden {
		t.Errorf("an agent settles what is with a lead: got %d", r.status)
	}
	if r := ravi.post("/prep/escalations/"+theirs, url.Values{"do": {"take"}}); r.status != http.StatusNotFound {
		t.Errorf("taken by another business: got %d", r.status)
	}
	asha.get("/prep/escalations")
	asha.want(asha.post("/prep/escalations/"+theirs, url.Values{"do": {"take"}}), http.StatusSeeOther, "/prep/escalations")
	asha.has(asha.get("/prep/escalations"), http.StatusOK, "It is yours now.", "with <strong>asha</strong>")
	asha.want(asha.post("/prep/escalations/"+theirs, url.Values{"do": {"raise"}, "level": {"L3"}}), http.StatusSeeOther, "/prep/escalations")
	again := asha.post("/prep/escalations/"+theirs, url.Values{"do": {"raise"}, "level": {"L3"}})
	asha.has(again, http.StatusConflict, "settled or passed on meanwhile")
	asha.want(asha.post("/prep/escalations/"+theirs, url.Values{"do": {"close"}, "outcome": {"Undone and said sorry."}, "lesson": {"Ask first."}}), http.StatusSeeOther, "/prep/escalations")
	asha.has(asha.get("/prep/escalations"), http.StatusOK, `data-testid="closed"`, "Undone and said sorry.", "Ask first.", "1 is open.")

	// What is left runs out of time.
	err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE escalations SET due_at = now() - interval '1 minute' WHERE closed_at IS NULL`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	meera.has(meera.get("/prep/escalations"), http.StatusOK, "1 open, 1 overdue.", "Overdue")
	meera.has(meera.get("/prep"), http.StatusOK, "1 open, 1 overdue")
}
