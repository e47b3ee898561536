package identity_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

type fataler interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// checkHeard holds whatever happens: the sums of adoption are what a count of the rows by plain SQL comes to, the rows are what the
// messages say, and each is with the account that has its tenure.
func (w *world) checkHeard(t fataler) {
	t.Helper()
	w.as(func(tx *tenants.Tx) error {
		recount, err := adoption.Check(w.t.Context(), tx)
		if err != nil {
			return err
		}
		if recount.Wrong != 0 {
			t.Errorf("%d sums are not what a recount comes to", recount.Wrong)
		}
		for what, query := range map[string]string{
			"rows of another account's tenure": `SELECT count(*) FROM heard_weeks h LEFT JOIN tenures t ON t.id = h.tenure_id WHERE t.identity_id IS DISTINCT FROM h.identity_id`,
			"messages that no row knows of": `SELECT count(*) FROM messages m JOIN tenures t ON t.id = m.tenure_id
				LEFT JOIN heard_weeks h ON h.tenure_id = m.tenure_id AND h.number_id = m.number_id AND h.week = date_trunc('week', m.at AT TIME ZONE 'UTC')::date
				WHERE m.direction = 'in' AND coalesce(h.days, 0) & (1 << (extract(isodow FROM m.at AT TIME ZONE 'UTC')::int - 1)) = 0`,
			"days on which nobody wrote": `SELECT count(*) FROM heard_weeks h CROSS JOIN generate_series(0, 6) d WHERE h.days & (1 << d) <> 0
				AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.tenure_id = h.tenure_id AND m.number_id = h.number_id AND m.direction = 'in'
				                AND (m.at AT TIME ZONE 'UTC')::date = h.week + d)`,
			"sums that differ from a plain count": `
				WITH heard AS (
					SELECT h.*, n.place, h.week + d AS day, 1 << d AS bit FROM heard_weeks h CROSS JOIN generate_series(0, 6) d
					JOIN identities i ON i.id = h.identity_id
					CROSS JOIN LATERAL (VALUES (h.number_id::text), (i.scope)) n (place) WHERE h.days & (1 << d) <> 0
				), seen AS (
					SELECT 'day' AS kind, place, day AS at, identity_id, bool_or(bsuid) AS id, bool_or(named & bit <> 0) AS named, bool_or(phoned & bit <> 0) AS phoned
					FROM heard GROUP BY place, day, identity_id
					UNION ALL
					SELECT 'week', place, week, identity_id, bool_or(bsuid), bool_or(named & bit <> 0), bool_or(phoned & bit <> 0)
					FROM heard GROUP BY place, week, identity_id
					UNION ALL
					SELECT 'month', place, date_trunc('month', day::timestamp)::date, identity_id, bool_or(bsuid), bool_or(named & bit <> 0), bool_or(phoned & bit <> 0)
					FROM heard WHERE place LIKE '%:%' GROUP BY place, 3, identity_id
					UNION ALL
					(SELECT DISTINCT ON (place, identity_id) 'last', h.place, max(day) OVER (PARTITION BY place, identity_id), identity_id,
					       bool_or(bsuid) OVER w, bool_or(named & bit <> 0) OVER w, bool_or(phoned & bit <> 0) OVER w
					FROM heard h WINDOW w AS (PARTITION BY place, identity_id, week) ORDER BY place, identity_id, week DESC)
				), plain AS (
					SELECT kind, place, at, id::int + named::int * 2 + phoned::int * 4 AS shown, count(*) AS n FROM seen GROUP BY 1, 2, 3, 4
				), stored AS (
					SELECT kind, place, at::date AS at, shown, sum(n) AS n FROM adoption_cells WHERE kind <> 'phone' GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0
				)
				SELECT count(*) FROM plain p FULL JOIN stored s USING (kind, place, at, shown) WHERE p.n IS DISTINCT FROM s.n`,
			"rows of a week that say otherwise whether a phone came in one of its months only": `
				SELECT count(*) FROM heard_weeks h WHERE h.parted <> EXISTS (
					SELECT 1 FROM generate_series(0, 6) d WHERE h.phoned <> 0 AND h.days & (1 << d) <> 0
					GROUP BY date_trunc('month', (h.week + d)::timestamp) HAVING bool_and(h.phoned & (1 << d) = 0))`,
			"people in no list or in two": `
				SELECT count(*) FROM (SELECT DISTINCT identity_id FROM heard_weeks) h
				FULL JOIN (SELECT identity_id, count(*) FILTER (WHERE NOT several) AS n FROM heard_last GROUP BY 1) l USING (identity_id) WHERE l.n IS DISTINCT FROM 1`,
			"phones at numbers counted otherwise": `
				SELECT count(*) FROM (SELECT number_id::text AS place, hour AS at, holder AS shown, count(*) AS n FROM phone_windows GROUP BY 1, 2, 3) p
				FULL JOIN (SELECT place, at, shown, sum(n) AS n FROM adoption_cells WHERE kind = 'phone' GROUP BY 1, 2, 3 HAVING sum(n) <> 0) s USING (place, at, shown)
				WHERE p.n IS DISTINCT FROM s.n`,
			"links and cases counted otherwise": `
				WITH happened AS (
					SELECT 'open:' || kind AS what, waiting_since AS at FROM cases WHERE state = 'open' AND part_of IS NULL
					UNION ALL
					SELECT CASE WHEN outcome = 'proved' THEN 'proved' WHEN closed_by = 'system' THEN 'ruled' ELSE 'decided' END, closed_at FROM cases
					WHERE state = 'done' AND outcome IN ('same', 'not_same', 'new', 'proved')
					UNION ALL
					SELECT CASE WHEN actor_kind = 'system' THEN 'auto' ELSE 'manual' END || CASE WHEN undone_at IS NOT NULL THEN '_undone' ELSE '' END, at
					FROM links WHERE kind NOT IN ('split', 'imported', 'cut', 'settled')
					UNION ALL
					SELECT 'joined', max(at) FROM links WHERE kind NOT IN ('split', 'imported', 'cut', 'settled') AND undone_at IS NULL AND lose_contact IS NOT NULL
					GROUP BY lose_contact
				), plain AS (
					SELECT what, 'day' AS span, (at AT TIME ZONE 'UTC')::date::timestamp AT TIME ZONE 'UTC' AS at, count(*) AS n FROM happened GROUP BY 1, 3
					UNION ALL
					SELECT what, 'quarter', to_timestamp(floor(extract(epoch FROM at) / 900) * 900), count(*) FROM happened GROUP BY 1, 3
					UNION ALL
					SELECT what, 'all', to_timestamp(0), count(*) FROM happened WHERE what LIKE 'open%' GROUP BY 1
				)
				SELECT count(*) FROM plain p FULL JOIN (SELECT what, span, at, n FROM work_sums WHERE n <> 0) s USING (what, span, at) WHERE p.n IS DISTINCT FROM s.n`,
			"phones with another holder": `
				SELECT count(*) FROM phone_windows w WHERE w.holder <> CASE
					WHEN NOT EXISTS (SELECT 1 FROM tenures t WHERE t.identifier_id = w.phone_id AND t.current) THEN 0
					WHEN EXISTS (SELECT 1 FROM tenures t JOIN tenures o ON o.identity_id = t.identity_id JOIN identifiers d ON d.id = o.identifier_id AND d.kind = 'bsuid'
					             WHERE t.identifier_id = w.phone_id AND t.current) THEN 2 ELSE 1 END`,
		} {
			var bad int
			if err := tx.GetContext(w.t.Context(), &bad, query); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			if bad > 0 {
				t.Errorf("%s (%d)", what, bad)
			}
		}
		return nil
	})
}

// checkReached holds as well: the list of a month, read two at a time, is whom its figure counts, each once.
func (w *world) checkReached(t fataler) {
	t.Helper()
	w.as(func(tx *tenants.Tx) error {
		for month := time.Unix(storyStart, 0).UTC(); month.Before(time.Unix(storyStart, 0).AddDate(0, 2, 0)); month = month.AddDate(0, 1, 0) {
			sum, err := adoption.Month(w.t.Context(), tx, month)
			if err != nil {
				return err
			}
			listed := int64(0)
			for after := uuid.Max; ; {
				page, err := adoption.Reached(w.t.Context(), tx, month, after, 2)
				if err != nil {
					return err
				}
				for _, p := range page {
					if bytes.Compare(p.Identity[:], after[:]) >= 0 || p.Day.Month() != month.Month() {
						t.Errorf("listed in %s: %+v after %s, want each once, and of the month", month.Month(), p, after)
					}
					after = p.Identity
				}
				if listed += int64(len(page)); len(page) < 2 {
					break
				}
			}
			if listed != sum.Reached {
				t.Errorf("%s: %d listed of %d reached", month.Month(), listed, sum.Reached)
			}
		}
		return nil
	})
}

// counts is the tenant's sums, with numbers as WhatsApp calls them.
func (w *world) counts() string {
	w.t.Helper()
	var lines []string
	w.as(func(tx *tenants.Tx) error {
		return tx.SelectContext(w.t.Context(), &lines, `
			SELECT concat_ws(' ', c.kind, coalesce(n.phone_number_id, c.place), c.at, c.country, c.shown, c.n) FROM adoption_cells c
			LEFT JOIN numbers n ON n.id::text = c.place WHERE c.n <> 0 ORDER BY 1`)
	})

	return strings.Join(lines, "\n")
}

// TestCountsFollowWhoIsWho: after each thing that WhatsApp says, late and imported ones among them, and after each merge, undo, cut and
// decision, the sums of adoption are those of a recount.
func TestCountsFollowWhoIsWho(t *testing.T) {
	t.Parallel()

	db := testdb.New(t).DB
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(newWorld(t, db, fmt.Sprintf("counts-%d", n.Add(1))))
		for i := range rapid.IntRange(2, 12).Draw(rt, "events") {
			s := drawSeen(rt, m.world, i)
			if s.Event.Party.BSUID != "" && rapid.Bool().Draw(rt, "named") {
				s.Event.Party.Username = "asha.v"
			}
			m.tell(s)
			m.checkHeard(rt)
			if rapid.IntRange(0, 2).Draw(rt, "act now") == 0 && m.drawAct(rt) {
				m.checkHeard(rt)
			}
		}
		m.checkReached(rt)
	})
}

// TestCountsDoNotHangOnTheOrder: the same events in any order and any batches, some of them twice, come to the same sums.
func TestCountsDoNotHangOnTheOrder(t *testing.T) {
	t.Parallel()

	db := testdb.New(t).DB
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		var story []event
		for i := range rapid.IntRange(3, 9).Draw(rt, "events") {
			e := drawEvent(rt, i)
			if e.bsuid != "" && rapid.Bool().Draw(rt, "named") {
				e.username = "asha.v"
			}
			if rapid.Bool().Draw(rt, "elsewhere") {
				e.number = otherNumber
			}
			story = append(story, e)
		}
		told := newWorld(t, db, fmt.Sprintf("counted-%d", n.Add(1)))
		for _, e := range story {
			told.feed(e)
		}
		told.checkHeard(rt)

		seed := uint64(rapid.IntRange(0, 1_000_000).Draw(rt, "order"))
		other := newWorld(t, db, fmt.Sprintf("recounted-%d", n.Add(1)))
		other.shuffled(story, rand.New(rand.NewPCG(seed, 3)).Perm(len(story)), seed)
		other.checkHeard(rt)
		if diff := cmp.Diff(told.counts(), other.counts()); diff != "" {
			rt.Fatalf("another order comes to other sums (-told +this):\n%s", diff)
		}
	})
}

// TestCountsWidenWithTheScope: who was known to a WABA and to its portfolio is counted once when the two are one, in however many parts
// they are put together.
func TestCountsWidenWithTheScope(t *testing.T) {
	t.Parallel()

	db := testdb.New(t).DB
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, db, fmt.Sprintf("widened-%d", n.Add(1)))
		w.openFar()
		for i := range rapid.IntRange(2, 8).Draw(rt, "events") {
			e := drawEvent(rt, i)
			e.number = rapid.SampledFrom([]string{mainNumber, otherNumber, farNumber}).Draw(rt, "number")
			w.feed(e)
		}
		w.checkHeard(rt)
		atOnce := rapid.IntRange(1, 3).Draw(rt, "at once")
		w.as(func(tx *tenants.Tx) error {
			return identity.WidenInParts(w.t.Context(), tx, w.scopes[farNumber], w.scopes[mainNumber], atOnce)
		})
		w.checkHeard(rt)
	})
}

// TestRebuildPutsRight: whatever is wrong in the sums, counting anew mends it, and another tenant's are left alone.
func TestRebuildPutsRight(t *testing.T) {
	t.Parallel()

	db := testdb.New(t).DB
	w, stranger := newWorld(t, db, "asha-clinic"), newWorld(t, db, "ravi-motors")
	for _, of := range []*world{w, stranger} {
		of.feed(event{wamid: "m1", phone: "919800000101", bsuid: "IN.1", username: "asha.v"}, event{wamid: "m2", phone: "919800000102", at: 9, number: otherNumber},
			event{wamid: "m3", bsuid: "IN.1", at: 8, number: otherNumber})
	}
	right, theirs := w.counts(), stranger.counts()
	if right == "" {
		t.Fatal("nothing was counted")
	}
	w.as(func(tx *tenants.Tx) error {
		for _, spoil := range []string{
			`UPDATE adoption_cells SET n = n + 3 WHERE kind = 'week'`, `DELETE FROM adoption_cells WHERE kind = 'last'`,
			`DELETE FROM heard_last WHERE several`, `UPDATE phone_windows SET holder = 0`,
		} {
			if _, err := tx.ExecContext(t.Context(), spoil); err != nil {
				return err
			}
		}
		if got, err := adoption.Check(t.Context(), tx); err != nil || got.Wrong == 0 {
			t.Errorf("Check of spoilt sums: %+v, %v, want some wrong", got, err)
		}
		_, err := adoption.Rebuild(t.Context(), tx)
		return err
	})
	if diff := cmp.Diff(right, w.counts()); diff != "" {
		t.Errorf("rebuilt sums differ (-before +after):\n%s", diff)
	}
	w.checkHeard(t)
	if diff := cmp.Diff(theirs, stranger.counts()); diff != "" {
		t.Errorf("another tenant's sums changed (-before +after):\n%s", diff)
	}
}

// TestPastIsCounted: a tenant that had customers before there were counts gets the same days and weeks from what is kept.
func TestPastIsCounted(t *testing.T) {
	t.Parallel()

	w := freshWorld(t)
	for i := range int64(6) {
		w.feed(
			event{wamid: fmt.Sprintf("a%d", i), at: i * 3, phone: "919800000101", bsuid: "IN.1", username: "asha.v"},
			event{wamid: fmt.Sprintf("b%d", i), at: i * 5, phone: "919800000102"},
			event{wamid: fmt.Sprintf("c%d", i), at: i * 2, bsuid: "IN.3", number: otherNumber})
	}
	right := w.counts()
	var job []uuid.UUID
	w.as(func(tx *tenants.Tx) error {
		for _, forget := range []string{`DELETE FROM adoption_cells`, `DELETE FROM heard_last`, `DELETE FROM heard_weeks`, `DELETE FROM phone_windows`} {
			if _, err := tx.ExecContext(t.Context(), forget); err != nil {
				return err
			}
		}
		return tx.SelectContext(t.Context(), &job, `
			INSERT INTO jobs (id, tenant_id, kind, args) VALUES (md5($2::text || ' ' || $1::uuid)::uuid, $1, $2, '{}') RETURNING id`, w.tenant, adoption.KindFill)
	})
	w.feed(event{wamid: "late", at: 3, phone: "919800000101", bsuid: "IN.1", username: "asha.v"}) // while it is being counted

	filling := true
	for range 10 {
		if !filling {
			break
		}
		w.as(func(tx *tenants.Tx) error {
			if _, err := tx.ExecContext(t.Context(), `UPDATE jobs SET run_at = now() - interval '1 second' WHERE id = $1`, job[0]); err != nil {
				return err
			}
			if err := identity.Lock(t.Context(), tx); err != nil {
				return err
			}
			if err := adoption.ContinueFill(t.Context(), tx, job[0]); err != nil {
				return err
			}
			var err error
			filling, err = adoption.Filling(t.Context(), tx)
			return err
		})
	}
	if filling {
		t.Fatal("the past is still being counted")
	}
	if diff := cmp.Diff(right, w.counts()); diff != "" {
		t.Errorf("the past counts otherwise (-as it came +as it is kept):\n%s", diff)
	}
	w.checkHeard(t)
}
