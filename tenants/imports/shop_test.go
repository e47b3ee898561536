package imports_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// meera uploads the lists.
var meera = tenants.Actor{Kind: "person", ID: "11111111-1111-1111-1111-111111111111", Name: "Meera"}

// shop is asha-clinic with one number, to which customers write.
type shop struct {
	t      *testing.T
	db     *tenants.DB
	keys   *secrets.Keyring
	tenant uuid.UUID
	number uuid.UUID
	items  int64
	owner  string // the login that owns the schema
}

const shopScope = "portfolio:506914300000001"

// newShop makes the tenant, with its number unless bare.
func newShop(t *testing.T, bare bool) *shop {
	t.Helper()
	database := testdb.New(t)
	s := &shop{t: t, db: database.DB, owner: database.OwnerDSN, tenant: uuid.Must(uuid.NewV7()), number: uuid.Must(uuid.NewV7())}
	var err error
	if s.keys, err = secrets.Open(filepath.Join(t.TempDir(), "master.key")); err != nil {
		t.Fatal(err)
	}
	if err := s.db.System(t.Context(), func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, 'asha-clinic', 'Asha Clinic')`, s.tenant)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if !bare {
		s.connect()
	}

	return s
}

func (s *shop) connect() {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) error {
		if err := identity.AdoptUnplaced(s.t.Context(), tx, shopScope); err != nil {
			return err
		}
		_, err := tx.Exec(`
			INSERT INTO numbers (tenant_id, id, app_id, waba_id, phone_number_id, display_phone, portfolio_id, scope, state)
			VALUES ($1, $2, $3, '318840557712904', '224466880013579', '917554000100', '506914300000001', $4, 'connected')`,
			s.tenant, s.number, uuid.Must(uuid.NewV7()), shopScope)
		return err
	})
}

func (s *shop) as(fn func(tx *tenants.Tx) error) {
	s.t.Helper()
	if err := s.db.As(s.t.Context(), s.tenant, fn); err != nil {
		s.t.Fatal(err)
	}
}

// writes has a customer write, some minutes after the story began, showing what they show.
func (s *shop) writes(minute int, party whatsapp.Party) {
	s.t.Helper()
	s.says(minute, party, "hello")
}

func (s *shop) says(minute int, party whatsapp.Party, text string) {
	s.t.Helper()
	s.items++
	party.PhoneRaw = party.Phone
	at := time.Now().Add(time.Duration(minute-600) * time.Minute).UTC().Truncate(time.Second)
	seen := []identity.Seen{{
		ItemID: s.items, NumberID: s.number, Scope: shopScope, ReceivedAt: time.Now(),
		Event: whatsapp.Event{
			Kind: whatsapp.KindMessage, Direction: whatsapp.DirectionIn, Type: "text", Text: text, At: at,
			WAMID: fmt.Sprintf("wamid.%d", s.items), Digest: fmt.Sprint(s.items), PhoneNumberID: "224466880013579", Party: party,
		},
	}}
	s.as(func(tx *tenants.Tx) error {
		ctx := s.t.Context()
		if err := identity.Lock(ctx, tx); err != nil {
			return err
		}
		batch, err := identity.Observe(ctx, tx, seen)
		if err != nil {
			return err
		}
		if _, err := conversations.Record(ctx, tx, batch, seen); err != nil {
			return err
		}
		return batch.Settle(ctx)
	})
}

// work runs a worker until the test ends.
func (s *shop) work() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = imports.NewWorker(s.db, s.keys, slog.New(slog.NewTextHandler(s.t.Output(), nil))).Run(ctx)
	}()
	s.t.Cleanup(func() {
		stop()
		<-ended
	})
}

func (s *shop) upload(list io.Reader) imports.Import {
	s.t.Helper()
	var i imports.Import
	s.as(func(tx *tenants.Tx) (err error) {
		i, err = imports.Start(s.t.Context(), tx, meera, "customers.csv", list)
		return err
	})

	return i
}

func (s *shop) uploadLines(lines ...string) imports.Import {
	s.t.Helper()

	return s.upload(strings.NewReader(strings.Join(lines, "\n")))
}

// neighbour adds another tenant.
func (s *shop) neighbour() uuid.UUID {
	s.t.Helper()
	other := uuid.Must(uuid.NewV7())
	if err := s.db.System(s.t.Context(), func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, 'ravi-motors', 'Ravi Motors')`, other)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}

	return other
}

// until waits for the worker to bring the import to a state, as long as it gets on.
func (s *shop) until(id uuid.UUID, state string) imports.Import {
	s.t.Helper()
	var i imports.Import
	at, patience := -1, time.Now()
	for time.Since(patience) < 2*time.Minute {
		s.as(func(tx *tenants.Tx) (err error) {
			i, err = imports.Get(s.t.Context(), tx, id)
			return err
		})
		if i.State == state {
			return i
		}
		if i.State == imports.Failed {
			break
		}
		if i.AtRow != at {
			at, patience = i.AtRow, time.Now()
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("import stays %s at row %d, want %s", i.State, i.AtRow, state)

	return i
}

func (s *shop) step(id uuid.UUID, do func(context.Context, *tenants.Tx, tenants.Actor, uuid.UUID) error) {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) error { return do(s.t.Context(), tx, meera, id) })
}

func (s *shop) try(i imports.Import, change func(*imports.Mapping)) imports.Import {
	s.t.Helper()
	m := i.Mapping
	if change != nil {
		change(&m)
	}
	s.as(func(tx *tenants.Tx) error { return imports.Map(s.t.Context(), tx, meera, i.ID, m, "") })

	return s.until(i.ID, imports.Checked)
}

// take uploads a list and takes it in, as its columns are guessed.
func (s *shop) take(lines ...string) imports.Import {
	s.t.Helper()
	i := s.try(s.uploadLines(lines...), nil)
	s.step(i.ID, imports.Run)

	return s.until(i.ID, imports.Done)
}

func (s *shop) undo(i imports.Import) imports.Import {
	s.t.Helper()
	s.step(i.ID, imports.Undo)
	i = s.until(i.ID, imports.Undone)
	s.as(func(tx *tenants.Tx) error {
		recount, err := adoption.Check(s.t.Context(), tx)
		if recount.Wrong != 0 {
			s.t.Errorf("%d sums are not what a recount comes to", recount.Wrong)
		}
		return err
	})

	return i
}

// reasons are the problems of an import, "row why" each.
func (s *shop) reasons(i imports.Import) string {
	s.t.Helper()
	var out []string
	s.as(func(tx *tenants.Tx) error {
		list, err := imports.Problems(s.t.Context(), tx, i.ID, 0, 100)
		for _, p := range list {
			line := fmt.Sprint(p.Row, " ", p.Why)
			if p.OtherRow != nil {
				line += fmt.Sprint(" ", *p.OtherRow)
			}
			out = append(out, line)
		}
		return err
	})

	return strings.Join(out, ", ")
}

func (s *shop) resolve(kind whatsapp.Kind, value string) identity.Contact {
	s.t.Helper()
	var c identity.Contact
	s.as(func(tx *tenants.Tx) error {
		r, err := identity.Resolve(s.t.Context(), tx, kind, value, "")
		if err == nil && r.Contact != nil {
			c = *r.Contact
		}
		return err
	})

	return c
}

func (s *shop) cases() []identity.Case {
	s.t.Helper()
	var list []identity.Case
	s.as(func(tx *tenants.Tx) (err error) {
		list, _, err = identity.Cases(s.t.Context(), tx, identity.CaseFilter{})
		return err
	})

	return list
}

func (s *shop) find(query string) []identity.Contact {
	s.t.Helper()
	var list []identity.Contact
	s.as(func(tx *tenants.Tx) (err error) {
		list, _, err = identity.List(s.t.Context(), tx, query, identity.Page{})
		return err
	})

	return list
}

// dump is every row of the tenant's customers that an import could have touched, but for versions and times of change.
func (s *shop) dump() string {
	s.t.Helper()
	var out []string
	s.as(func(tx *tenants.Tx) error {
		for _, query := range []string{
			`SELECT 'contact ' || id || ' ' || display_name || ' ' || notes || ' ' || external_ids || ' ' || coalesce(merged_into::text, '') FROM contacts`,
			`SELECT 'identity ' || id || ' ' || scope || ' ' || coalesce(contact_id::text, '') || ' ' || coalesce(home_contact::text, '') FROM identities`,
			`SELECT 'identifier ' || kind || ' ' || value || ' ' || raw || ' ' || first_seen || ' ' || last_seen || ' ' || coalesce(claimed_at::text, '') FROM identifiers`,
			`SELECT 'tenure ' || id || ' ' || first_seen || ' ' || last_seen || ' ' || current FROM tenures`,
			`SELECT 'word ' || contact_id || ' ' || word FROM contact_words`,
			`SELECT 'activity ' || contact_id || ' ' || last_at FROM contact_activity`,
			`SELECT 'hint ' || kind || ' ' || claim_value FROM hints`,
			`SELECT 'link ' || id FROM links`,
			`SELECT 'case ' || kind || ' ' || state || ' ' || candidates FROM cases`,
		} {
			var rows []string
			if err := tx.Select(&rows, query+` ORDER BY 1`); err != nil {
				return err
			}
			out = append(out, rows...)
		}
		return nil
	})

	return strings.Join(out, "\n")
}
