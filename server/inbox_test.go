package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const appSecret = "test_app_secret_do_not_use"

// inbox is a site with an app and asha-clinic's two numbers, as the payload files name them.
type inbox struct {
	*site
	address string
	worker  *ingest.Worker
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{site: &site{Database: testdb.New(t), log: &lockedBuffer{}}}
	in.clinic = tenants.Tenant{ID: uuid.Must(uuid.NewV7()), Slug: "asha-clinic"}
	in.exec(t, `INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)`, in.clinic.ID, in.clinic.Slug) // nobody signs in here
	in.address, _ = in.listen(t, server.Config{PublicURL: origin})
	ctx := context.Background()
	err := in.DB.System(ctx, func(tx *tenants.Tx) error {
		_, err := numbers.AddApp(ctx, tx, in.keys, access.Command("test").Actor, numbers.AppInput{
			Name: "platform", MetaAppID: "1234567890", AppSecret: appSecret, VerifyToken: "verify-me-please",
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, phone := range map[string]string{"224466880013579": "15550199042", "224466880024680": "15550199043"} {
		if _, err := numbers.Connect(ctx, in.DB, in.keys, whatsapp.Graph{}, access.Command("test").Actor, in.clinic.ID, numbers.ConnectInput{
			App: "platform", WABAID: "318840557712904", PhoneNumberID: id, DisplayPhone: phone, PortfolioID: "506914300000001",
			AccessToken: "a-token-for-tests", PublicURL: origin, Unconfirmed: true,
		}); err != nil {
			t.Fatal(err)
		}
	}

	ctx, cancel := context.WithCancel(context.Background())
	in.worker = ingest.NewWorker(in.DB, slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	go func() { done <- in.worker.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})

	return in
}

// post sends a body, signed, and waits until all it causes is visible.
func (in *inbox) post(t *testing.T, body []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, in.address+"/hooks/whatsapp/platform", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Hub-Signature-256", whatsapp.Sign([]byte(appSecret), body))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("post: %d, want 200", res.StatusCode)
	}

	in.worker.Wake()
	deadline := time.Now().Add(20 * time.Second)
	for {
		m, err := ingest.TenantMeter(context.Background(), in.DB, in.clinic.ID)
		if err != nil {
			t.Fatal(err)
		}
		if m.Items.Received != m.Items.Routed+m.Items.Held+m.Items.SetAside+m.Items.Waiting {
			t.Fatalf("the equation does not hold: %+v", m.Items)
		}
		if m.Items.Waiting == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still waiting: %+v", m.Items)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func payload(t *testing.T, number string) []byte {
	t.Helper()
	found, err := filepath.Glob("../tenants/whatsapp/testdata/" + number + "-*.json")
	if err != nil || len(found) != 1 {
		t.Fatalf("payload %s: %v %v", number, found, err)
	}
	body, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}

	return body
}

// state is all the clinic's customers, messages, cases and items, in words. Times are seconds since 1790000000.
func (in *inbox) state(t *testing.T) string {
	t.Helper()
	var lines []string
	err := in.DB.As(context.Background(), in.clinic.ID, func(tx *tenants.Tx) error {
		var identities []struct {
			ID      uuid.UUID  `db:"id"`
			Contact *uuid.UUID `db:"contact_id"`
			Held    string     `db:"held"`
			Called  string     `db:"called"`
			Said    string     `db:"said"`
		}
		if err := tx.Select(&identities, `
			SELECT i.id, i.contact_id,
			       (SELECT string_agg(DISTINCT d.kind || ' ' || d.value || CASE WHEN t.current THEN '' ELSE ' (past)' END, ', ')
			        FROM tenures t JOIN identifiers d ON d.id = t.identifier_id WHERE t.identity_id = i.id) AS held,
			       coalesce((SELECT string_agg(DISTINCT CASE f.kind WHEN 'username' THEN '@' ELSE '' END || f.value, ', ')
			        FROM tenures t JOIN profile_facts f ON f.tenure_id = t.id WHERE t.identity_id = i.id), '-') AS called,
			       coalesce((SELECT string_agg(concat_ws(' ', extract(epoch FROM m.at)::bigint - 1790000000, m.direction, m.type,
			               CASE WHEN m.group_id <> '' THEN 'in a group' END, CASE WHEN m.text <> '' THEN '"' || left(m.text, 40) || '"' END,
			               CASE WHEN m.context_wamid <> '' THEN 'answering' END, CASE WHEN m.target_wamid <> '' THEN 'about another' END,
			               nullif(m.status, ''), nullif(m.error, '')), '; ' ORDER BY m.at, m.wamid)
			        FROM tenures t JOIN messages m ON m.tenure_id = t.id WHERE t.identity_id = i.id), 'nothing') AS said
			FROM identities i WHERE i.absorbed_into IS NULL`); err != nil {
			return err
		}
		names, together := map[uuid.UUID]string{}, map[string][]string{}
		for _, i := range identities {
			names[i.ID] = i.Held
			key, who := i.ID.String(), "nobody yet: "
			if i.Contact != nil {
				key, who = i.Contact.String(), "contact: "
			}
			together[key] = append(together[key], who+i.Held+" | "+i.Called+" | "+i.Said)
		}
		for _, list := range together {
			slices.Sort(list)
			lines = append(lines, strings.Join(list, " + "))
		}

		cases, _, err := identity.Cases(context.Background(), tx, identity.CaseFilter{State: "open"})
		if err != nil {
			return err
		}
		for _, c := range cases {
			line := "case: " + c.Kind
			if c.IdentityID != nil {
				line += " about " + names[*c.IdentityID]
			}
			for _, k := range c.Candidates {
				for _, r := range k.Reasons {
					line += " | " + k.Tier + " " + r.Code + " " + k.Contact.Phone() + k.Contact.BSUID()
				}
			}
			lines = append(lines, line)
		}

		var statuses []string
		if err := tx.Select(&statuses, `
			SELECT concat_ws(' ', 'status:', extract(epoch FROM s.at)::bigint - 1790000000, s.status, d.kind, d.value, nullif(s.error, ''))
			FROM statuses s LEFT JOIN tenures t ON t.id = s.tenure_id LEFT JOIN identifiers d ON d.id = t.identifier_id`); err != nil {
			return err
		}
		lines = append(lines, statuses...)

		var odd []string
		if err := tx.Select(&odd, `SELECT concat_ws(' ', 'item:', field, kind, state, nullif(reason, '')) FROM inbox_items
			WHERE kind NOT IN ('message', 'status', 'system') OR state <> 'routed' OR reason <> ''`); err != nil {
			return err
		}
		lines = append(lines, odd...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = in.DB.System(context.Background(), func(tx *tenants.Tx) error {
		var held []string
		if err := tx.Select(&held, `SELECT concat_ws(' ', 'held:', field, kind, reason) FROM inbox_items WHERE tenant_id IS NULL`); err != nil {
			return err
		}
		lines = append(lines, held...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)

	return strings.Join(lines, "\n")
}
