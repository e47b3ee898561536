package server_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const appSecret = "test_app_secret_do_not_use"

// house is a site that many businesses send their stories to, each to numbers and by an app of its own.
type house struct {
	*site
	address string
	worker  *ingest.Worker
	graph   *graph
	opened  atomic.Int64
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{site: &site{Database: testdb.New(t), log: &lockedBuffer{}, origin: origin}}
	h.Server = h.site.open(t, config.Config{PublicURL: origin})
	h.address, _ = h.listen(t, config.Config{PublicURL: origin})
	h.worker, h.graph = ingest.NewWorker(h.DB, slog.New(slog.NewTextHandler(h.log, nil))), newGraph(t, h.site)
	h.worker.Recognise(h.keys)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.worker.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})

	return h
}

// The ids of the business's own that stand in the payload files.
const (
	ownWABA, otherWABA, strangeWABA = "318840557712904", "318840557719999", "318840557710001"
	ownNumber, otherNumber          = "224466880013579", "224466880024680"
	strangeNumber                   = "999999999999999"
	ownPhone, otherPhone            = "15550199042", "15550199043"
	ownPortfolio                    = "506914300000001"
)

// inbox is a business with two numbers, as the payload files name them. What is posted is written anew with its own ids.
type inbox struct {
	*house
	tenant  uuid.UUID
	app     string
	numbers map[string]uuid.UUID // by their ids in the payload files
	ids     *strings.Replacer
	tag     string
}

func (h *house) open(t *testing.T) *inbox {
	t.Helper()
	n := h.opened.Add(1)
	in := &inbox{house: h, tenant: uuid.Must(uuid.NewV7()), tag: fmt.Sprintf("%03d", n), app: fmt.Sprintf("app-%d", n), numbers: map[string]uuid.UUID{}}
	var pairs []string
	for _, id := range []string{ownWABA, otherWABA, strangeWABA, ownNumber, otherNumber, strangeNumber, ownPhone, otherPhone, ownPortfolio} {
		pairs = append(pairs, `"`+id+`"`, `"`+id+in.tag+`"`)
	}
	in.ids = strings.NewReplacer(pairs...)

	in.exec(t, `INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)`, in.tenant, "asha-clinic-"+in.tag) // nobody signs in here
	ctx := context.Background()
	err := h.DB.System(ctx, func(tx *tenants.Tx) error {
		_, err := numbers.AddApp(ctx, tx, h.keys, access.Command("test").Actor, numbers.AppInput{
			Name: in.app, MetaAppID: "1234567890", AppSecret: appSecret, VerifyToken: "verify-me-please",
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, phone := range map[string]string{ownNumber: ownPhone, otherNumber: otherPhone} {
		in.connect(t, id, phone, ownWABA, ownPortfolio)
	}

	return in
}

// connect connects one more number; portfolio may be empty.
func (in *inbox) connect(t *testing.T, id, phone, waba, portfolio string) {
	t.Helper()
	if portfolio != "" {
		portfolio += in.tag
	}
	n, err := numbers.Connect(context.Background(), in.DB, in.keys, whatsapp.Graph{}, access.Command("test").Actor, in.tenant, numbers.ConnectInput{
		App: in.app, WABAID: waba + in.tag, PhoneNumberID: id + in.tag, DisplayPhone: phone + in.tag, PortfolioID: portfolio,
		AccessToken: "a-token-for-tests", PublicURL: origin, Unconfirmed: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	in.numbers[id] = n.ID
}

func newInbox(t *testing.T) *inbox { return newHouse(t).open(t) }

// post sends a body, signed, and waits until all it causes is visible.
func (in *inbox) post(t *testing.T, body []byte) {
	t.Helper()
	in.send(t, body)
	in.settle(t)
}

// send sends a body, signed, which must be taken.
func (in *inbox) send(t *testing.T, body []byte) {
	t.Helper()
	body = []byte(in.ids.Replace(string(body)))
	if got := in.answers(t, in.app, body, whatsapp.Sign([]byte(appSecret), body)); got != http.StatusOK {
		t.Errorf("post: %d, want 200", got)
	}
}

// answers is the status that a body with a signature gets from an app's address.
func (in *inbox) answers(t *testing.T, app string, body []byte, signature string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, in.address+"/hooks/whatsapp/"+app, bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	if signature != "" {
		req.Header.Set("X-Hub-Signature-256", signature)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer func() { _ = res.Body.Close() }()

	return res.StatusCode
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
	err := in.DB.As(context.Background(), in.tenant, func(tx *tenants.Tx) error {
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
			               CASE WHEN m.imported THEN 'past' END, CASE WHEN m.group_id <> '' THEN 'in a group' END,
			               CASE WHEN m.type = 'call' THEN 'of ' || (m.content::jsonb->>'seconds') || 's' END, CASE WHEN m.text <> '' THEN '"' || left(m.text, 40) || '"' END,
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
		said, err := besides(tx)
		if err != nil {
			return err
		}
		lines = append(lines, said...)

		var odd []string
		if err := tx.Select(&odd, `SELECT concat_ws(' ', 'item:', field, kind, state, nullif(reason, '')) FROM inbox_items
			WHERE kind = 'user_action' OR state <> 'routed' OR reason <> ''`); err != nil {
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
		if err := tx.Select(&held, `SELECT concat_ws(' ', 'held:', field, kind, reason) FROM inbox_items
			WHERE tenant_id IS NULL AND (phone_number_id LIKE '%' || $1 OR phone_number_id = '' AND waba_id LIKE '%' || $1)`, in.tag); err != nil {
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

// besides is what is known besides customers and messages, in words: preferences, saved names, notices and drift.
func besides(tx *tenants.Tx) (lines []string, err error) {
	for _, query := range []string{
		`SELECT concat_ws(' ', 'signal:', extract(epoch FROM s.at)::bigint - 1790000000, s.kind, s.category, s.value, d.kind, d.value)
		 FROM account_signals s JOIN identifiers d ON d.id = s.identifier_id`,
		`SELECT concat_ws(' ', 'saved:', nullif(phone, ''), nullif(bsuid, ''), '"' || name || '"', CASE WHEN removed THEN 'removed' END) FROM saved_contacts`,
		`SELECT concat_ws(' ', 'notice:', CASE WHEN at < '2026-10-01' THEN extract(epoch FROM at)::bigint - 1790000000 END, field, event,
		                  CASE WHEN number_id IS NULL THEN 'of the account' END, facts->>'username', facts->>'context', facts->>'title')
		 FROM notices`,
		`SELECT concat_ws(' ', 'drift:', field, what, times || 'x') FROM drift`,
	} {
		var found []string
		if err := tx.Select(&found, query); err != nil {
			return nil, err
		}
		lines = append(lines, found...)
	}

	return lines, nil
}
