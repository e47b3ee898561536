package views_test

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/pehchan/pehchan/views/contacts"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/numbers"
	"github.com/pehchan/pehchan/views/people"
	"github.com/pehchan/pehchan/views/queue"
)

func phoneOf(shown, full string) people.Handle {
	return people.Handle{Kind: "phone", Shown: shown, Full: full, First: ago(48 * time.Hour), Last: now}
}

func savitri() people.Someone {
	id := people.Handle{Kind: "bsuid", Shown: "IN.1648…4942", Full: "IN.16487310994942", First: ago(time.Hour), Last: now}
	return people.Someone{
		ID: "c-1", Name: "Savitri <b>", Handle: people.Handle{Kind: "username", Shown: "@savitri.t"}, LastAt: ago(time.Hour),
		Accounts: []people.Account{{Name: "Savitri <b>", Username: "savitri.t", Hidden: true, Handles: []people.Handle{id}, Reply: id}},
	}
}

func regular() people.Someone {
	p := phoneOf("+91 •••••• 0480", "")
	return people.Someone{ID: "c-2", Name: "Savitri Tiwari", Handle: p, Accounts: []people.Account{{Name: "Savitri Tiwari", Handles: []people.Handle{p}, Reply: p}}}
}

func spoken() []people.Said {
	return []people.Said{
		{At: ago(time.Hour), Type: "text", Text: "Namaste <script>", Reactions: []string{"👍"}, Edited: true, Quote: &people.Said{Type: "image"}},
		{At: ago(2 * time.Hour), Type: "order", Count: 3, Out: true, Status: "read", Group: true},
		{At: ago(3 * time.Hour), Type: "text", Text: "", Revoked: true},
		{At: ago(4 * time.Hour), Type: "something_new", Error: "131051: Unsupported", Via: phoneOf("+91 •••••• 0480", ""), Number: "Asha Clinic"},
	}
}

func frame(f layout.Frame, path string) layout.Frame {
	f.Path = path
	return f
}

func who() queue.Case {
	unknown := savitri()
	return queue.Case{
		Frame: frame(member("Queue"), "/resolve/k-1"), Now: now, ID: "k-1", Kind: "suggested", Tab: "suggested", Version: 3, Seen: "suggested c-2", Who: &unknown, Said: spoken(),
		Number: "Asha Clinic", Since: ago(time.Hour), Waiting: 4, LeaseUntil: now.Add(4 * time.Minute), CanDecide: true,
		Candidates: []queue.Candidate{
			{
				Someone: regular(), Tier: "B", Said: spoken(), Reasons: []queue.Because{{Text: "On 5 Jul they wrote the number ••0480.", Tier: "B", Raw: "/contacts/c-1/evidence/7"}},
				Compared: []queue.Compared{{Label: "name", Mine: "Savitri <b>", Theirs: "Savitri Tiwari", Differ: true}, {Label: "country", Mine: "IN", Theirs: "IN", Same: true}, {Label: "phone", Theirs: "+91 •••••• 0480"}},
			},
			{Someone: savitri(), Tier: "C"},
		},
		Last: &queue.LastDecision{Decision: "same", Name: "Priya", Undo: "/merges/l-1/undo", Next: "/resolve"},
	}
}

func queueSample() queue.Queue {
	unknown := savitri()
	return queue.Queue{
		Frame: frame(member("Queue"), "/resolve"), Now: now, Tab: "suggested", Counts: map[string]int{"new": 2, "suggested": 1, "conflicts": 0, "waiting": 1, "approvals": 0}, CanDecide: true,
		Numbers: []numbers.NumberChoice{{ID: "n1", Name: "Asha Clinic"}, {ID: "n2", Name: "Asha Clinic 2"}}, Next: "/resolve?cursor=x",
		Items: []queue.QueueItem{
			{ID: "k-1", Kind: "suggested", Who: &unknown, Since: ago(time.Hour), Last: &spoken()[0], Candidate: "Savitri Tiwari", Tier: "B", Lease: "Imran"},
			{ID: "k-2", Kind: "unidentifiable", Since: ago(2 * time.Hour), Unsure: []string{"Imran"}},
			{ID: "k-3", Kind: "conflict", Who: &unknown, Conflict: true, Candidate: "Gopal", Tier: "B", Since: ago(time.Hour), HoldUntil: now.Add(time.Hour)},
			{ID: "k-4", Kind: "suggested", Who: &unknown, Outcome: "same", ClosedAt: ago(time.Hour), ClosedBy: "Meera"},
		},
	}
}

func contact() contacts.Contact {
	return contacts.Contact{
		Frame: frame(member("Contact"), "/contacts/c-1"), Now: now, Who: savitri(), DisplayName: "Savitri <b>", ProfileName: "Savitri T", Notes: "Kolar Road\nevenings", Version: 2, MergedFrom: true,
		OpenCase: "/resolve/k-1", ExternalIDs: []contacts.ExternalID{{Name: "zoho", Value: "77"}}, Said: spoken(), Older: "/contacts/c-1?before=x", CanEdit: true, CanMerge: true, CanReveal: true,
		Proofs:  []contacts.Proof{{Tier: "A", Text: "One message of theirs carried both.", Raw: "/contacts/c-1/evidence/7"}, {Tier: "B", Text: "They wrote a number."}},
		Moments: []contacts.Moment{{Kind: "merged", At: ago(time.Hour), By: "Meera", Text: "@savitri.t", Reason: "called them", Receipt: "/merges/l-1", Undo: "/merges/l-1/undo"}, {Kind: "username", At: ago(2 * time.Hour), Text: "@savitri.t"}, {Kind: "apart", At: ago(time.Hour), Text: "••0480", Undone: true}},
	}
}

func merge() queue.Merge {
	after := regular()
	after.Accounts = append(after.Accounts, savitri().Accounts...)
	return queue.Merge{
		Frame: frame(member("Merge"), "/merges/preview"), Now: now, Keep: regular(), Lose: savitri(), After: after, KeepVersion: 1, LoseVersion: 4,
		Identities: 1, Messages: 12, OpenCases: 1,
	}
}

func receipt() queue.Receipt {
	return queue.Receipt{
		Frame: frame(member("Receipt"), "/merges/l-1"), Now: now, ID: "l-1", Kind: "merged", At: ago(time.Hour), By: "Meera", Reason: "called them", Keep: regular(), Loser: "Savitri <b>",
		Handles: savitri().Accounts[0].Handles, Case: "/resolve/k-1", Back: savitri().Accounts, NewMessages: 3, CanUndo: true, Next: "/resolve/next?tab=new",
	}
}

// resolving are the pages about who somebody is, filled and empty.
func resolving() map[string]templ.Component {
	quiet := queueSample()
	quiet.Items, quiet.Counts, quiet.Next, quiet.Week = nil, nil, "", queue.Week{ByPeople: 12, ByProof: 31, Undone: 1}
	waiting := quiet
	waiting.Tab = "waiting"
	none, nobody, leased, over := who(), who(), who(), who()
	none.Candidates, none.Query = nil, "sav"
	nobody.Who, nobody.Candidates, nobody.Kind, nobody.Raw = nil, nil, "unidentifiable", "/resolve/k-1/event"
	leased.CanDecide, leased.LeasedBy, leased.Changes = false, "Imran", []string{"It is decided."}
	over.CanDecide, over.Outcome, over.ClosedAt, over.Receipt = false, "same", now, "/merges/l-1"
	edited := contact()
	edited.Editing, edited.Changed = true, []contacts.Edited{{Field: "notes", Now: "a", Yours: "b"}}
	blocked, risky, undone, attested := merge(), merge(), receipt(), receipt()
	blocked.Blocked, risky.Warnings, risky.NotYou = []string{"One contact already."}, []string{"Two accounts."}, true
	undone.UndoneAt, undone.UndoneBy = now, "Meera"
	attested.Kind, attested.By, attested.CanUndo = "attested", "", false
	choosing := regular()
	return map[string]templ.Component{
		"queue": queue.QueuePage(queueSample()), "queue clear": queue.QueuePage(quiet), "queue waiting": queue.QueuePage(waiting),
		"case": queue.CasePage(who()), "case alone": queue.CasePage(none), "case nobody": queue.CasePage(nobody), "case leased": queue.CasePage(leased), "case over": queue.CasePage(over),
		"contacts":       contacts.ContactsPage(contacts.Contacts{Frame: member("Contacts"), Now: now, Items: []people.Someone{savitri(), regular()}, Next: "/contacts?cursor=x"}),
		"contacts empty": contacts.ContactsPage(contacts.Contacts{Frame: member("Contacts"), Now: now}),
		"contacts found": contacts.ContactsPage(contacts.Contacts{Frame: member("Contacts"), Now: now, Query: "x", For: &choosing}),
		"contact":        contacts.ContactPage(contact()), "contact edited": contacts.ContactPage(edited),
		"merge": queue.MergePage(merge()), "merge blocked": queue.MergePage(blocked), "merge risky": queue.MergePage(risky),
		"receipt": queue.ReceiptPage(receipt()), "receipt undone": queue.ReceiptPage(undone), "receipt attested": queue.ReceiptPage(attested),
		"event": contacts.RawEventPage(contacts.RawEvent{Frame: member("Event"), Back: "/contacts/c-1", Name: "Savitri", At: now, Raw: "{}"}),
	}
}

func TestQueueSaysWhoHasACaseAndHowToStart(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{"en": "Imran has this", "hi": "यह Imran के पास है"} {
		doc := render(t, lang, queue.QueuePage(queueSample()))
		if got := text(find(t, doc, "lease")); got != want {
			t.Errorf("lease reads %q, want %q", got, want)
		}
		if got := find(t, doc, "start").AttrOr("data-key", ""); got != "Enter" {
			t.Errorf("start has the key %q, want Enter", got)
		}
		if got := doc.Find("main [aria-current]").Length(); got != 2 {
			t.Errorf("%d filters are in force, want the tab and the number", got)
		}
	}
	reader := queueSample()
	reader.CanDecide = false
	if render(t, "en", queue.QueuePage(reader)).Find("[data-testid=start]").Length() != 0 {
		t.Error("who may not decide is offered to start")
	}
}

func TestResolveShowsEvidenceFirstAndEveryKey(t *testing.T) {
	t.Parallel()
	doc := render(t, "en", queue.CasePage(who()))
	if got := doc.Find("main [autofocus]").AttrOr("id", ""); got != "why" {
		t.Errorf("focus begins on %q, want the evidence", got)
	}
	if got := doc.Find(".resolve > section").First().AttrOr("data-testid", ""); got != "why" {
		t.Errorf("the first section is %q, want the evidence", got)
	}
	if find(t, doc, "nothing-against").Length() != 1 {
		t.Error("that nothing speaks against it is not said")
	}
	var keys []string
	for _, key := range []string{"Y", "N", "W", "J", "K", "U", "H", "z", "/", "?"} {
		if doc.Find(`main [data-key="`+key+`"]`).Length() == 0 {
			keys = append(keys, key)
		}
	}
	if len(keys) != 0 {
		t.Errorf("nothing is pressed by %v", keys)
	}
	if got := text(find(t, doc, "reply-bar")); !strings.Contains(got, "@savitri.t") || !strings.Contains(got, "never changes") {
		t.Errorf("bar reads %q, want where the reply goes", got)
	}
	if got := text(find(t, doc, "compared")); !strings.Contains(got, "Name ≠ differs:") {
		t.Errorf("comparison reads %q, want the difference in words", got)
	}
	if doc.Find("[name=reason]").Length() != 0 {
		t.Error("a strong sign asks for a reason")
	}
}

func TestAHintOrAWarningAsksForAReason(t *testing.T) {
	t.Parallel()
	hint := who()
	hint.At = 1
	if doc := render(t, "hi", queue.CasePage(hint)); doc.Find("[name=reason][required][form=decide]").Length() != 1 {
		t.Error("a hint is linked without a reason")
	}
	risky := who()
	risky.Candidates[0].Risky, risky.Candidates[0].Against = true, []string{"Two live accounts."}
	doc := render(t, "en", queue.CasePage(risky))
	if doc.Find("[data-testid=decide-same]").Length() != 1 || doc.Find("[name=reason]").Length() != 1 {
		t.Error("an agent cannot propose a link against a warning with a reason")
	}
	if got := text(find(t, doc, "verdict")); !strings.Contains(got, "second person") {
		t.Errorf("verdict reads %q, want that it takes two", got)
	}
	risky.Proposal = &queue.Proposal{By: "Imran", Contact: risky.Candidates[0].ID, Reason: "same voice"}
	if doc := render(t, "en", queue.CasePage(risky)); doc.Find("[name=reason]").Length() != 0 || !strings.Contains(text(find(t, doc, "proposal")), "Imran") {
		t.Error("the second person is not told what the first said, or is asked for a reason")
	}
	risky.Proposal.Mine = true
	if doc := render(t, "hi", queue.CasePage(risky)); doc.Find("[data-testid=decide-same]").Length() != 0 {
		t.Error("one person can be both of two")
	}
	tier := risky.Candidates[0].Tier
	risky.Proposal, risky.Candidates[0].Tier = nil, "C"
	doc = render(t, "en", queue.CasePage(risky))
	if doc.Find("[data-testid=decide-same]").Length() != 0 || doc.Find("[data-testid=decide-not_same]").Length() != 1 {
		t.Error("an agent may link by a hint against a warning, or may not refuse")
	}
	if got := text(find(t, doc, "verdict")); !strings.Contains(got, "lead or owner") {
		t.Errorf("verdict reads %q, want who may", got)
	}
	risky.MayLink, risky.Candidates[0].Tier = true, tier
	if doc := render(t, "en", queue.CasePage(risky)); doc.Find("[data-testid=decide-same]").Length() != 1 || doc.Find("[name=reason]").Length() != 1 {
		t.Error("a lead cannot link against a warning with a reason")
	}
}

func TestMessagesAreSafeAndSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	doc := render(t, "en", contacts.ContactPage(contact()))
	got := text(find(t, doc, "thread"))
	for _, want := range []string{"Namaste <script>", "Picture", "Order, 3 products", "Deleted by its author", "A kind of message we do not know yet", "WhatsApp says: 131051", "edited", "in a group", "read"} {
		if !strings.Contains(got, want) {
			t.Errorf("thread reads %q, want %q in it", got, want)
		}
	}
	if doc.Find("main img, main audio, main video, main iframe").Length() != 0 {
		t.Error("media is fetched")
	}
	if find(t, doc, "reveal").Length() != 1 || find(t, doc, "merged-note").Length() != 1 {
		t.Error("the phone cannot be shown, or the merge is not said")
	}
	hindi := render(t, "hi", contacts.ContactPage(contact()))
	if got := text(find(t, hindi, "thread")); !strings.Contains(got, "ऑर्डर, 3 चीज़ें") {
		t.Errorf("Hindi thread reads %q", got)
	}
}

func TestMergeSaysWhereRepliesGoAndWhoMay(t *testing.T) {
	t.Parallel()
	doc := render(t, "en", queue.MergePage(merge()))
	if got := find(t, doc, "replies-after").Find(".replies li").Length(); got != 2 {
		t.Errorf("%d addresses for replies, want both", got)
	}
	if got := find(t, doc, "swap").AttrOr("href", ""); got != "/merges/preview?keep=c-1&lose=c-2" {
		t.Errorf("the other way round is %q", got)
	}
	for name, page := range map[string]queue.Merge{"blocked": {Blocked: []string{"x"}}, "risky": {Warnings: []string{"x"}, NotYou: true}} {
		page.Frame, page.Keep, page.Lose, page.After = member("Merge"), regular(), savitri(), regular()
		if render(t, "en", queue.MergePage(page)).Find("[data-testid=merge]").Length() != 0 {
			t.Errorf("%s: can be done all the same", name)
		}
	}
	undo := render(t, "en", queue.ReceiptPage(receipt()))
	if got := text(find(t, undo, "new-messages")); !strings.Contains(got, "New messages since then: 3. They stay with @savitri.t") {
		t.Errorf("undo preview reads %q", got)
	}
}
