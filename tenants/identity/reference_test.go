package identity_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/identity/reference"
	"github.com/pehchan/pehchan/tenants/identity/reference/look"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// model is a world beside everything that it was told and what people decided in it, as the reference takes it.
type model struct {
	*world
	steps []reference.Step
	acts  map[uuid.UUID]*reference.Act // by decision
}

func newModel(w *world) *model { return &model{world: w, acts: map[uuid.UUID]*reference.Act{}} }

// drawSeen draws one thing that WhatsApp says, of any kind, about so few people and days that they collide. The other portfolio has
// WhatsApp IDs of its own, and one that happens to look the same; phones and parents are the same in both.
func drawSeen(t *rapid.T, w *world, i int) identity.Seen {
	phones := []string{"", "919800000101", "919800000102", "919800000103"}
	bsuids := []string{"", "IN.1", "IN.2", "IN.3"}
	parents := []string{"", "", "", "IN.ENT.1", "IN.ENT.2"}
	number := rapid.SampledFrom([]string{mainNumber, mainNumber, mainNumber, otherNumber, farNumber}).Draw(t, "number")
	if number == farNumber {
		w.openFar()
		bsuids = []string{"", "IN.1", "IN.8"}
	}
	party := func(label string) whatsapp.Party {
		p := whatsapp.Party{Phone: rapid.SampledFrom(phones).Draw(t, label+" phone"), BSUID: rapid.SampledFrom(bsuids).Draw(t, label+" bsuid")}
		p.PhoneRaw, p.ProfileName = p.Phone, rapid.SampledFrom([]string{"", "", "Asha", "Bela", "❤️"}).Draw(t, label+" name")
		if p.BSUID != "" { // a parent comes beside a WhatsApp ID
			p.Parent = rapid.SampledFrom(parents).Draw(t, label+" parent")
		}
		return p
	}
	somebody := func(label string) whatsapp.Party {
		p := party(label)
		if p.Phone == "" && p.BSUID == "" {
			p.BSUID = bsuids[1]
		}
		return p
	}
	day := rapid.SampledFrom([]int64{0, 1, 2, 3, 4, 5, 6, 100, 190, 250}).Draw(t, "day")
	e := whatsapp.Event{
		PhoneNumberID: number, WAMID: fmt.Sprintf("m%02d", i), At: time.Unix(storyStart+day*86400+int64(i)*60, 0).UTC(), Type: "text",
	}
	switch kind := rapid.IntRange(0, 15).Draw(t, "kind"); kind {
	case 0, 1, 2: // a change, as it is said now and as it was
		e.Kind, e.Direction, e.Type = whatsapp.KindSystem, whatsapp.DirectionIn, "system:user_changed_number"
		r := whatsapp.Rotation{Type: "user_changed_number", Old: party("old"), New: party("new")}
		if kind == 1 {
			r.Type, r.Old.BSUID, r.New.Phone, r.New.PhoneRaw = "customer_changed_number", "", "", ""
		}
		if kind == 2 {
			e.Kind, r.Type, r.Old.Phone, r.Old.PhoneRaw = whatsapp.KindIDUpdate, "user_id_update", "", ""
		}
		e.Rotation, e.Party = &r, r.Old
	case 3:
		e.Kind, e.Direction, e.Type, e.Status, e.Party = whatsapp.KindStatus, whatsapp.DirectionOut, "status", rapid.SampledFrom([]string{"delivered", "failed"}).Draw(t, "status"), somebody("to")
	case 4:
		e.Kind, e.Direction, e.Party = whatsapp.KindEcho, whatsapp.DirectionOut, somebody("to")
	case 5:
		e.Kind, e.Direction, e.Type, e.Party = whatsapp.KindCall, whatsapp.DirectionIn, "connect", party("from")
	case 6:
		e.Kind, e.Type, e.Text, e.Party, e.WAMID = whatsapp.KindSync, "add", "Asha", party("saved"), ""
	case 7:
		e.Kind, e.Direction, e.Type, e.Status, e.Party, e.WAMID = whatsapp.KindPreference, whatsapp.DirectionIn, identity.Marketing, identity.Stop, party("from"), ""
	case 8, 9:
		e.Kind, e.Party = whatsapp.KindHistory, somebody("with")
		e.Direction = rapid.SampledFrom([]string{whatsapp.DirectionIn, whatsapp.DirectionOut}).Draw(t, "way")
	default:
		e.Kind, e.Direction, e.Party = whatsapp.KindMessage, whatsapp.DirectionIn, party("from")
	}
	e.Digest = fmt.Sprint(e.Kind, i)

	return w.seenOf(e)
}

func (w *world) seenOf(e whatsapp.Event) identity.Seen {
	w.items++

	return identity.Seen{
		ItemID: w.items, NumberID: w.numbers[e.PhoneNumberID], Scope: w.scopes[e.PhoneNumberID],
		ReceivedAt: time.Unix(storyStart+400*86400, 0), Event: e,
	}
}

// tell resolves events as one batch.
func (m *model) tell(seen ...identity.Seen) {
	m.t.Helper()
	m.feedSeen(seen)
	for _, s := range seen {
		m.steps = append(m.steps, reference.Step{Event: look.Told(s.Scope, s.ReceivedAt, s.Event)})
	}
}

// want fails where the world does not look as the rules say: what is whose account and whose contact, where everything that was said
// belongs, what contradicts itself, and whom somebody must look at.
func (m *model) want(rt *rapid.T) {
	m.t.Helper()
	rules := reference.Picture(m.steps)
	var nobodies []string
	for _, l := range rules {
		if name, ok := strings.CutPrefix(l, "nobody "); ok {
			nobodies = append(nobodies, name)
		}
	}
	compared := func(lines []string) (out []string) {
		for _, l := range lines {
			// Whether one that nobody has written from is kept as a contact is not compared, and so not what is asked about them as such.
			asked := strings.HasPrefix(l, "perhaps one ")
			if !asked || !slices.ContainsFunc(nobodies, func(name string) bool { return strings.Contains(l, name) }) {
				out = append(out, strings.Replace(l, "nobody ", "person ", 1))
			}
		}
		slices.Sort(out)

		return out
	}
	want, got := compared(rules), compared(m.plainPicture())
	if slices.Equal(want, got) {
		return
	}
	lines := []string{"the rules (-) and the world (+) differ:"}
	for _, l := range want {
		if !slices.Contains(got, l) {
			lines = append(lines, "- "+l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			lines = append(lines, "+ "+l)
		}
	}
	rt.Fatalf("%s\nafter\n%s", strings.Join(lines, "\n"), m.story())
}

// story is all that happened, to write down with a failure.
func (m *model) story() string {
	var lines []string
	for _, s := range m.steps {
		if s.Act != nil {
			lines = append(lines, fmt.Sprintf("act %+v", *s.Act))
			continue
		}
		e := *s.Event
		line := fmt.Sprintf("%+6.2fd %s in %s: %+v", float64(e.At-storyStart)/86400, e.Tie, e.Scope, e.Who)
		if e.Change != nil {
			line = fmt.Sprintf("%+6.2fd %s in %s: %+v", float64(e.At-storyStart)/86400, e.Tie, e.Scope, *e.Change)
		}
		lines = append(lines, line)
	}

	return strings.Join(lines, "\n")
}

// plainPicture is the world as the reference draws one.
func (m *model) plainPicture() []string {
	m.t.Helper()

	var lines []string
	m.as(func(tx *tenants.Tx) error {
		var err error
		lines, err = look.Picture(m.t.Context(), tx)
		return err
	})

	return lines
}

// held is when the accounts of each contact were last seen with what they have.
type held struct {
	Contact    uuid.NullUUID  `db:"contact_id"`
	Identity   uuid.UUID      `db:"identity_id"`
	Identifier uuid.UUID      `db:"identifier_id"`
	Scope      string         `db:"scope"`
	Kind       reference.Kind `db:"kind"`
	Value      string         `db:"value"`
	Last       time.Time      `db:"last_at"`
	Current    bool           `db:"current"`
}

func heldNow(ctx context.Context, tx *tenants.Tx) (all []held, err error) {
	err = tx.SelectContext(ctx, &all, `
		SELECT i.contact_id, i.id AS identity_id, d.id AS identifier_id, d.scope, d.kind, d.value, s.last_at, t.current
		FROM tenures t CROSS JOIN seen(t) s JOIN identities i ON i.id = t.identity_id JOIN identifiers d ON d.id = t.identifier_id
		WHERE (t.from_at IS NULL OR s.last_at >= t.from_at) AND (t.to_at IS NULL OR s.last_at < t.to_at)
		ORDER BY t.current DESC, s.last_at DESC`)

	return all, err
}

// act does what a person would, unless it is refused with one of the codes, and notes what they decided by it.
func (m *model) act(rt *rapid.T, do func(tx *tenants.Tx) error, refusals ...string) {
	m.t.Helper()

	var before []held
	err := m.db.As(m.t.Context(), m.tenant, func(tx *tenants.Tx) (err error) {
		if before, err = heldNow(m.t.Context(), tx); err != nil {
			return err
		}
		return do(tx)
	})
	if slices.Contains(refusals, tenants.ConflictCode(err)) {
		return
	}
	if err != nil {
		rt.Fatal(err)
	}

	var rows []struct {
		ID      uuid.UUID     `db:"id"`
		Kind    string        `db:"kind"`
		A       uuid.UUID     `db:"a_id"`
		B       uuid.NullUUID `db:"b_id"`
		AtA     sql.NullInt64 `db:"a_at"`
		AtB     sql.NullInt64 `db:"b_at"`
		Known   int64         `db:"known"`
		APast   bool          `db:"a_past"`
		BPast   bool          `db:"b_past"`
		Cut     bool          `db:"cut"`
		Revoked bool          `db:"revoked"`
	}
	m.as(func(tx *tenants.Tx) error {
		return tx.SelectContext(m.t.Context(), &rows, `
			SELECT id, kind, a_id, b_id, extract(epoch FROM a_at)::bigint AS a_at, extract(epoch FROM b_at)::bigint AS b_at,
			       extract(epoch FROM known_until)::bigint AS known, a_past, b_past, kind = 'cannot_link' AND link_id IS NOT NULL AS cut, revoked_at IS NOT NULL AS revoked
			FROM decisions ORDER BY decided_at, id`)
	})
	for _, r := range rows {
		if known, ok := m.acts[r.ID]; ok {
			known.Undone = r.Revoked
			continue
		}
		act := reference.Act{Kind: map[string]string{"must_link": reference.Together, "cannot_link": reference.Apart, "is_new": reference.New}[r.Kind], PastA: r.APast, PastB: r.BPast, Cut: r.Cut, Undone: r.Revoked}
		act.A, act.AtA = handleOf(before, r.A), cmp.Or(r.AtA.Int64, r.Known)
		if r.B.Valid {
			act.B, act.AtB = handleOf(before, r.B.UUID), cmp.Or(r.AtB.Int64, r.Known)
		}
		m.acts[r.ID] = &act
		m.steps = append(m.steps, reference.Step{Act: &act})
	}
}

// handleOf finds an identifier.
func handleOf(all []held, identifier uuid.UUID) reference.Handle {
	return all[slices.IndexFunc(all, func(k held) bool { return k.Identifier == identifier })].handle()
}

func (k held) handle() reference.Handle {
	return reference.Handle{Scope: k.Scope, Kind: k.Kind, Value: k.Value}
}

// drawAct draws something that a person does with what is there, and does it. It tells whether there was anything to do.
func (m *model) drawAct(rt *rapid.T) bool {
	m.t.Helper()

	ctx := m.t.Context()
	switch rapid.SampledFrom([]string{"merge", "undo", "cut", "new", "same", "not same"}).Draw(rt, "act") {
	case "merge":
		ids := m.drawIDs(`SELECT id FROM contacts WHERE merged_into IS NULL ORDER BY id`)
		if len(ids) < 2 {
			return false
		}
		i := rapid.IntRange(0, len(ids)-1).Draw(rt, "keep")
		j := (i + 1 + rapid.IntRange(0, len(ids)-2).Draw(rt, "lose")) % len(ids)
		m.act(rt, func(tx *tenants.Tx) error {
			_, err := identity.Merge(ctx, tx, meera, identity.MergeInput{Keep: ids[i], Lose: ids[j], Reason: "same order", MayRisk: true})
			return err
		})
	case "undo":
		return m.drawUndo(rt, `SELECT id FROM links WHERE undone_at IS NULL AND kind = 'merged' ORDER BY at, id`)
	case "cut":
		return m.drawUndo(rt, `SELECT id FROM links WHERE undone_at IS NULL AND kind IN ('attested', 'rotated') ORDER BY at, id`)
	case "new":
		return m.drawDecision(rt, identity.DecideNew)
	case "same":
		return m.drawDecision(rt, identity.DecideSame)
	case "not same":
		return m.drawDecision(rt, identity.DecideNotSame)
	}

	return true
}

func (m *model) drawUndo(rt *rapid.T, query string) bool {
	m.t.Helper()
	ids := m.drawIDs(query)
	if len(ids) == 0 {
		return false
	}
	link := ids[rapid.IntRange(0, len(ids)-1).Draw(rt, "link")]
	m.act(rt, func(tx *tenants.Tx) error {
		_, err := identity.Undo(m.t.Context(), tx, meera, link, true)
		return err
	}, "attested_since", "not_undoable")

	return true
}

// drawDecision decides an open case of any kind; of those it names, about any.
func (m *model) drawDecision(rt *rapid.T, decision string) bool {
	m.t.Helper()
	ids := m.drawIDs(`SELECT id FROM cases WHERE state = 'open' AND kind <> 'unidentifiable' ORDER BY id`)
	if len(ids) == 0 {
		return false
	}
	d := identity.Decision{Kind: decision, Case: ids[rapid.IntRange(0, len(ids)-1).Draw(rt, "case")], Reason: "asked them", MayRisk: true}
	if decision != identity.DecideNew {
		var candidates []identity.Candidate
		m.as(func(tx *tenants.Tx) error {
			c, err := identity.GetCase(m.t.Context(), tx, d.Case)
			candidates = c.Candidates
			return err
		})
		if len(candidates) == 0 {
			return false
		}
		d.Contact = candidates[rapid.IntRange(0, len(candidates)-1).Draw(rt, "candidate")].Contact.ID
	}
	m.act(rt, func(tx *tenants.Tx) error {
		_, _, err := identity.Decide(m.t.Context(), tx, meera, d)
		return err
	})

	return true
}

func (m *model) drawIDs(query string) (ids []uuid.UUID) {
	m.as(func(tx *tenants.Tx) error { return tx.SelectContext(m.t.Context(), &ids, query) })

	return ids
}
