package conversations_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// answers is what the owner writes in the Business app, which WhatsApp passes on.
func answers(second int, bsuid, wamid string) (whatsapp.ItemKind, map[string]any) {
	return whatsapp.KindEcho, map[string]any{"from": "15550199042", "to_user_id": bsuid, "id": wamid, "timestamp": fmt.Sprint(start + second), "type": "text", "text": text("ok")}
}

// inbox is the list by the address each one's last message came by, with a mark of unread (*) and of waiting (?).
func (s *shop) inbox(f conversations.InboxFilter) (line, next string) {
	s.t.Helper()
	var list []conversations.Conversation
	s.as(func(tx *tenants.Tx) (err error) {
		list, next, err = conversations.Inbox(s.t.Context(), tx, f)
		return err
	})
	var out []string
	for _, c := range list {
		who := c.Last.Address
		if c.Unread {
			who += "*"
		}
		if !c.WaitingSince.IsZero() {
			who += "?"
		}
		out = append(out, who)
	}

	return strings.Join(out, " "), next
}

func (s *shop) wantInbox(f conversations.InboxFilter, want string) {
	s.t.Helper()
	if got, _ := s.inbox(f); got != want {
		s.t.Errorf("inbox %+v is %q, want %q", f, got, want)
	}
}

func TestInboxTellsWhoWaits(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	s.feed(says(60, "IN.1", "a", "text", text("one")))
	s.feed(says(120, "IN.2", "b", "text", text("two")))
	s.feed(says(180, "IN.3", "c", "text", text("three")))
	s.wantInbox(conversations.InboxFilter{}, "IN.3*? IN.2*? IN.1*?")

	s.feed(answers(240, "IN.2", "d"))
	s.wantInbox(conversations.InboxFilter{}, "IN.2* IN.3*? IN.1*?")
	s.wantInbox(conversations.InboxFilter{State: conversations.Waiting}, "IN.1*? IN.3*?")

	s.as(func(tx *tenants.Tx) error { return conversations.MarkRead(t.Context(), tx, s.whois("IN.2").ID) })
	s.wantInbox(conversations.InboxFilter{State: conversations.Unread}, "IN.3*? IN.1*?")
	s.feed(says(120, "IN.2", "b", "text", text("two"))) // once more
	s.feed(answers(240, "IN.2", "d"))
	s.wantInbox(conversations.InboxFilter{}, "IN.2 IN.3*? IN.1*?")

	// A reaction asks nothing, a new message does.
	s.feed(says(300, "IN.2", "e", "reaction", map[string]any{"message_id": "d", "emoji": "👍"}))
	s.wantInbox(conversations.InboxFilter{}, "IN.2 IN.3*? IN.1*?")
	s.feed(says(301, "IN.2", "f", "text", text("and tomorrow?")))
	s.wantInbox(conversations.InboxFilter{}, "IN.2*? IN.3*? IN.1*?")

	// What other software sent is known by its status alone.
	s.feed(whatsapp.KindStatus, map[string]any{"id": "other", "status": "sent", "timestamp": fmt.Sprint(start + 400), "recipient_user_id": "IN.1"})
	s.wantInbox(conversations.InboxFilter{State: conversations.Waiting}, "IN.3*? IN.2*?")
	for _, c := range []struct {
		who  string
		want time.Time
	}{{"IN.1", time.Unix(start+400, 0)}, {"IN.2", time.Time{}}, {"IN.3", time.Time{}}} {
		contact := s.whois(c.who)
		entries, _ := s.thread(contact, identity.Page{})
		s.as(func(tx *tenants.Tx) error {
			at, ok, err := conversations.AnsweredElsewhere(t.Context(), tx, contact, entries)
			if ok == c.want.IsZero() || !at.Equal(c.want) {
				t.Errorf("%s was answered from elsewhere at %v, want %v", c.who, at, c.want)
			}
			return err
		})
	}
	s.as(func(tx *tenants.Tx) error {
		n, err := conversations.CountInbox(t.Context(), tx)
		if want := (conversations.InboxCounts{Unread: 3, Waiting: 2}); n != want {
			t.Errorf("counted %+v, want %+v", n, want)
		}
		return err
	})
}

// Whoever wrote by two identifiers is one person who waits, in the list and in its figure.
func TestPeopleAreCountedNotParts(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	s.feed(says(60, "IN.1", "a", "text", text("one")))
	s.feed(says(120, "IN.2", "b", "text", text("two")))
	s.as(func(tx *tenants.Tx) error {
		_, err := identity.Merge(t.Context(), tx, tenants.SystemActor, identity.MergeInput{Keep: s.whois("IN.1").ID, Lose: s.whois("IN.2").ID, Reason: "one", MayRisk: true})
		if err != nil {
			return err
		}
		n, err := conversations.CountInbox(t.Context(), tx)
		if want := (conversations.InboxCounts{Unread: 1, Waiting: 1}); n != want {
			t.Errorf("counted %+v, want %+v", n, want)
		}
		return err
	})
}

// What failed has answered nobody, in whatever order its statuses come; what was answered before stays answered.
func TestFailedMessagesAnswerNobody(t *testing.T) {
	t.Parallel()
	reports := func(second int, state, wamid string) (whatsapp.ItemKind, map[string]any) {
		return whatsapp.KindStatus, map[string]any{"id": wamid, "status": state, "timestamp": fmt.Sprint(start + second), "recipient_user_id": "IN.1"}
	}
	for _, order := range [][]string{{"sent", "failed"}, {"failed", "sent"}, {"failed", "sent", "failed", "sent"}} {
		s := open(t, testdb.New(t).DB, "asha-clinic")
		s.feed(says(60, "IN.1", "a", "text", text("is it ready?")))
		for _, state := range order {
			s.feed(reports(120, state, "lost"))
		}
		s.wantInbox(conversations.InboxFilter{State: conversations.Waiting}, "IN.1*?")

		s.feed(reports(180, "sent", "arrived"))
		s.wantInbox(conversations.InboxFilter{State: conversations.Waiting}, "")
		for _, state := range order {
			s.feed(reports(240, state, "lost too"))
		}
		s.wantInbox(conversations.InboxFilter{State: conversations.Waiting}, "")

		// Seven days late: of what is read, of what is known to be lost, and of what nobody knows.
		s.feed(reports(300, "read", "arrived"))
		before, _ := s.inbox(conversations.InboxFilter{})
		for i, late := range []string{"arrived", "lost", "of nobody"} {
			s.feed(reports(7*24*3600+i, "delivered", late))
		}
		s.wantInbox(conversations.InboxFilter{State: conversations.Waiting}, "")
		s.wantInbox(conversations.InboxFilter{}, before)
	}
}

func TestInboxDoneAndTakenBack(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	s.feed(says(60, "IN.1", "a", "text", text("thanks")))
	c := s.whois("IN.1")
	mark := func(done bool) {
		s.as(func(tx *tenants.Tx) error {
			return conversations.MarkDone(t.Context(), tx, tenants.SystemActor, c.ID, done)
		})
	}

	mark(true)
	s.wantInbox(conversations.InboxFilter{}, "IN.1")
	mark(false)
	s.wantInbox(conversations.InboxFilter{}, "IN.1?")
	mark(true)
	s.feed(says(61, "IN.1", "b", "text", text("wait, one more thing")))
	s.wantInbox(conversations.InboxFilter{State: conversations.Waiting}, "IN.1*?")
}

func TestInboxHasOneRowForOnePerson(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	s.feed(says(60, "IN.1", "a", "text", text("one")))
	s.feed(says(120, "IN.2", "b", "text", text("two")))
	s.feed(says(180, "IN.3", "c", "text", text("three")))
	keep, lose := s.whois("IN.1"), s.whois("IN.3")
	var link uuid.UUID
	s.as(func(tx *tenants.Tx) (err error) {
		link, err = identity.Merge(t.Context(), tx, tenants.SystemActor, identity.MergeInput{Keep: keep.ID, Lose: lose.ID, MayRisk: true, Reason: "same"})
		return err
	})
	s.wantInbox(conversations.InboxFilter{}, "IN.3*? IN.2*?")
	s.wantInbox(conversations.InboxFilter{State: conversations.Waiting}, "IN.3*? IN.2*?") // waits since 60

	s.as(func(tx *tenants.Tx) error {
		_, err := identity.Undo(t.Context(), tx, tenants.SystemActor, link, true)
		return err
	})
	s.wantInbox(conversations.InboxFilter{}, "IN.3*? IN.2*? IN.1*?")
}

func TestInboxPagesAndNarrows(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	for i := range 5 {
		s.feed(says(60*i, fmt.Sprint("IN.", i), fmt.Sprint("m", i), "text", text("hello")))
	}
	for _, state := range []string{"", conversations.Unread, conversations.Waiting} {
		f := conversations.InboxFilter{State: state, Page: identity.Page{Limit: 2}}
		var got []string
		for {
			line, next := s.inbox(f)
			got = append(got, line)
			if f.Cursor = next; next == "" {
				break
			}
		}
		want := []string{"IN.4*? IN.3*?", "IN.2*? IN.1*?", "IN.0*?"}
		if state == conversations.Waiting {
			want = []string{"IN.0*? IN.1*?", "IN.2*? IN.3*?", "IN.4*?"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %q are %q, want %q", state, got, want)
		}
	}

	s.wantInbox(conversations.InboxFilter{Number: uuid.New()}, "")
	s.wantInbox(conversations.InboxFilter{Number: s.number, Query: "IN.3"}, "IN.3*?")
	s.wantInbox(conversations.InboxFilter{Query: "nobody at all"}, "")

	me, other := uuid.New(), uuid.New()
	s.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO assignments (tenant_id, identity_id, person_id) VALUES ($1, $2, $3), ($1, $4, $5)`,
			s.tenant, s.whois("IN.2").Identities[0].ID, me, s.whois("IN.4").Identities[0].ID, other)
		return err
	})
	s.wantInbox(conversations.InboxFilter{Who: conversations.Mine, Person: me}, "IN.2*?")
	s.wantInbox(conversations.InboxFilter{Who: conversations.Nobodys}, "IN.3*? IN.1*? IN.0*?")
	s.wantInbox(conversations.InboxFilter{Who: conversations.Mine, Person: me, Query: "IN.4"}, "")

	s.as(func(tx *tenants.Tx) error {
		list, _, err := conversations.Inbox(t.Context(), tx, conversations.InboxFilter{Page: identity.Page{Limit: 1}})
		if err == nil && list[0].Assignee != other {
			t.Errorf("first row %+v, want it taken by the other", list[0])
		}
		if _, _, err := conversations.Inbox(t.Context(), tx, conversations.InboxFilter{Page: identity.Page{Cursor: "nonsense"}}); err == nil {
			t.Error("a cursor that is none is taken")
		}
		return err
	})
}

// The list tells the time that is left as the composer does: by the account and number that a reply goes to, and by no call.
func TestInboxWindowIsTheComposers(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	s.feed(says(-90_000, "IN.1", "a", "text", text("from the first account")))
	s.feed(says(-80_000, "IN.3", "c", "text", text("from the other")))
	s.feed(says(0, "IN.2", "b", "text", text("somebody else")))
	s.feed(whatsapp.KindCall, map[string]any{"from_user_id": "IN.1", "id": "call", "event": "connect", "direction": "USER_INITIATED", "timestamp": fmt.Sprint(start)})
	s.as(func(tx *tenants.Tx) error {
		_, err := identity.Merge(t.Context(), tx, tenants.SystemActor, identity.MergeInput{Keep: s.whois("IN.1").ID, Lose: s.whois("IN.3").ID, MayRisk: true, Reason: "same"})
		return err
	})
	want := map[uuid.UUID]time.Time{
		s.whois("IN.1").ID: time.Unix(start-90_000, 0).Add(identity.Window), s.whois("IN.2").ID: time.Unix(start, 0).Add(identity.Window),
	}
	s.as(func(tx *tenants.Tx) error {
		list, _, err := conversations.Inbox(t.Context(), tx, conversations.InboxFilter{})
		if len(list) != len(want) {
			t.Errorf("%d rows, want %d", len(list), len(want))
		}
		for _, c := range list {
			to, err := conversations.ReplyTo(t.Context(), tx, conversations.Thread{Contact: c.Contact.ID})
			if err != nil {
				return err
			}
			if !c.WindowEnds.Equal(want[c.Contact.ID]) || !to.WindowEnds.Equal(c.WindowEnds) {
				t.Errorf("the list says %s, the composer %s, want %s", c.WindowEnds, to.WindowEnds, want[c.Contact.ID])
			}
		}
		return err
	})
}

// What was taken back or written anew reads so in the list too.
func TestInboxShowsNoOldWords(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	s.feed(says(1, "IN.1", "a", "text", text("come at 5")))
	s.feed(says(2, "IN.2", "b", "text", text("secret")))
	s.feed(says(3, "IN.1", "c", "edit", map[string]any{"original_message_id": "a", "message": map[string]any{"type": "text", "text": text("come at 6")}}))
	s.feed(says(4, "IN.2", "d", "revoke", map[string]any{"original_message_id": "b"}))
	s.as(func(tx *tenants.Tx) error {
		list, _, err := conversations.Inbox(t.Context(), tx, conversations.InboxFilter{})
		for _, c := range list {
			switch c.Last.WAMID {
			case "a":
				if c.Last.Text != "come at 6" || c.Last.EditedAt.IsZero() {
					t.Errorf("a reads %q in the list", c.Last.Text)
				}
			case "b":
				if c.Last.RevokedAt.IsZero() {
					t.Error("b was taken back, and the list does not know")
				}
			default:
				t.Errorf("%s is last", c.Last.WAMID)
			}
		}
		return err
	})
}

// A phone that passed to somebody else: what its old holder said last stays theirs, once late evidence shows it.
func TestInboxFollowsDividedPhone(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	byPhone := func(second int, bsuid, wamid string) (whatsapp.ItemKind, map[string]any) {
		m := map[string]any{"from": "919800000101", "id": wamid, "timestamp": fmt.Sprint(start + second), "type": "text", "text": text("hello")}
		if bsuid != "" {
			m["from_user_id"] = bsuid
		}
		return whatsapp.KindMessage, m
	}
	const year = 365 * 86400
	s.feed(byPhone(60-2*year, "", "old"))
	s.feed(byPhone(60, "", "new"))
	s.wantInbox(conversations.InboxFilter{}, "919800000101*?")
	s.feed(byPhone(30, "IN.9", "owner"))
	s.as(func(tx *tenants.Tx) error {
		list, _, err := conversations.Inbox(t.Context(), tx, conversations.InboxFilter{})
		for _, c := range list {
			messages, _, err := conversations.Messages(t.Context(), tx, c.Contact.ID, identity.Page{Limit: 1})
			if err != nil {
				return err
			}
			if messages[0].ID != c.Last.ID {
				t.Errorf("the inbox has %s last, want %s as the conversation itself", c.Last.WAMID, messages[0].WAMID)
			}
		}
		if len(list) < 2 {
			t.Errorf("%d rows, want the old holder and the new", len(list))
		}
		return err
	})
}

func TestInboxNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	asha, ravi := open(t, db, "asha-clinic"), open(t, db, "ravi-motors")
	asha.feed(says(1, "IN.1", "a", "text", text("one")))
	c := asha.whois("IN.1")
	ravi.as(func(tx *tenants.Tx) error {
		if err := conversations.MarkDone(t.Context(), tx, tenants.SystemActor, c.ID, true); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("done with another tenant's conversation: %v, want not found", err)
		}
		n, err := conversations.CountInbox(t.Context(), tx)
		if n != (conversations.InboxCounts{}) {
			t.Errorf("counted %+v of another tenant", n)
		}
		if err != nil {
			return err
		}
		return conversations.MarkRead(t.Context(), tx, c.ID)
	})
	ravi.wantInbox(conversations.InboxFilter{}, "")
	ravi.wantInbox(conversations.InboxFilter{Query: "IN.1"}, "")
	asha.wantInbox(conversations.InboxFilter{}, "IN.1*?")
}
