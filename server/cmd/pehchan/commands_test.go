package main_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/testdb"
)

const appSecrets = `{"app_secret":"canary-app-secret","verify_token":"canary-verify-token"}`

func TestCommandsSetUpABusiness(t *testing.T) {
	t.Parallel()
	m := newMachine(t)

	tenant := m.object(t, password, []string{"slug", "tenant_id"},
		"tenant", "add", "--slug", "asha-clinic", "--name", "Asha Clinic", "--owner-email", "owner@asha-clinic.example")
	if tenant["slug"] != "asha-clinic" {
		t.Errorf("tenant add: got slug %v", tenant["slug"])
	}
	m.object(t, password+"\n", []string{"user_id"}, "user", "add", "--tenant", "asha-clinic", "--email", "meera@asha-clinic.example", "--role", "agent")
	m.object(t, password, []string{"user_id"}, "operator", "add", "--email", "op@pehchan.example", "--role", "admin")
	// Who has an account needs no password for a second business.
	m.object(t, password, []string{"slug", "tenant_id"}, "tenant", "add", "--slug", "ravi-motors", "--name", "Ravi Motors", "--owner-email", "owner@ravi-motors.example")
	m.object(t, "", []string{"user_id"}, "user", "add", "--tenant", "ravi-motors", "--email", "meera@asha-clinic.example", "--role", "auditor")

	app := m.object(t, appSecrets, []string{"app", "webhook_path"}, "app", "add", "--name", "demo", "--meta-app-id", "900100")
	if app["app"] != "demo" || app["webhook_path"] != "/hooks/whatsapp/demo" {
		t.Errorf("app add: got %v", app)
	}
	number := m.object(t, `{"access_token":"canary-access-token"}`, []string{"number_id", "state"}, "number", "connect",
		"--tenant", "asha-clinic", "--app", "demo", "--waba-id", "700", "--phone-number-id", "800", "--display-phone", "919800000101", "--unconfirmed")
	if number["state"] != "unconfirmed" {
		t.Errorf("number connect --unconfirmed: got state %v", number["state"])
	}

	key := m.object(t, "", []string{"key"}, "apikey", "add", "--tenant", "asha-clinic", "--scopes", "read,write")
	if s, _ := key["key"].(string); !strings.HasPrefix(s, "pk_") {
		t.Error("apikey add printed no key")
	}
	m.object(t, "", []string{"user_id"}, "user", "reset-factor", "--email", "op@pehchan.example")
	m.object(t, "", []string{"chains", "entries", "ok"}, "audit", "verify")
	m.object(t, "", []string{"chains", "entries", "ok"}, "audit", "verify", "--tenant", "asha-clinic")
	head := m.run(t, "", "audit", "head", "--tenant", "asha-clinic")
	kept := filepath.Join(t.TempDir(), "heads")
	for heads, want := range map[string]int{head.out: 0, strings.Replace(head.out, `"seq":`, `"seq":1`, 1): 1} {
		if err := os.WriteFile(kept, []byte(heads), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := m.run(t, "", "audit", "verify", "--tenant", "asha-clinic", "--head", kept); got.code != want {
			t.Errorf("audit verify --head of %q: exit %d (%s), want %d", heads, got.code, got.out, want)
		}
	}
	for _, args := range [][]string{{"adoption", "rebuild"}, {"adoption", "rebuild", "--check", "--tenant", "asha-clinic"}} {
		if got := m.object(t, "", []string{"accounts", "ok", "phones", "rows", "sums", "tenants", "wrong"}, args...); got["wrong"] != float64(0) {
			t.Errorf("%v: got %v, want nothing wrong", args, got)
		}
	}
}

// The list of erasures seals itself: one that is changed, cut short or somebody else's is refused, and one that is whole is replayed.
func TestListOfErasures(t *testing.T) {
	t.Parallel()
	database := testdb.New(t)
	m := newEmbedded(t, "DATABASE_URL="+database.AppDSN)
	tenant := m.object(t, password, []string{"slug", "tenant_id"}, "tenant", "add", "--slug", "asha-clinic", "--name", "Asha Clinic", "--owner-email", "owner@asha-clinic.example")
	id, _ := tenant["tenant_id"].(string)
	list := m.run(t, "", "privacy", "erasures", "--tenant", "asha-clinic")
	if list.code != 0 || strings.Count(list.out, "\n") != 1 || !strings.Contains(list.out, `"lines":0`) {
		t.Fatalf("privacy erasures of nobody: exit %d, %q; want the sealing line alone", list.code, list.out)
	}
	kept := filepath.Join(t.TempDir(), "erasures")
	stone := `{"tenant":"` + id + `","hash":"` + strings.Repeat("ab", 32) + `","kind":"identifier","erased_at":"2026-01-02T03:04:05Z","stopped":false}` + "\n"
	for text, want := range map[string]int{list.out: 0, list.out + list.out: 0, "": 1, stone: 1, stone + list.out: 1, list.out + stone: 1, list.out + strings.Repeat("x", 1<<17): 1, "no list\n": 1, strings.Replace(list.out, `"mac":"`, `"mac":"0`, 1): 1} {
		if err := os.WriteFile(kept, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := m.run(t, "", "privacy", "replay-erasures", kept); got.code != want {
			t.Errorf("replay of %.300q: exit %d (%s), want %d", text, got.code, got.out, want)
		}
	}
	if err := database.DB.As(t.Context(), uuid.MustParse(id), func(tx *tenants.Tx) error {
		return erased.Lay(t.Context(), tx, []erased.Stone{{Hash: bytes.Repeat([]byte{7}, 32), Kind: erased.Identifier, ErasedAt: time.Now(), Stopped: true}})
	}); err != nil {
		t.Fatal(err)
	}
	list = m.run(t, "", "privacy", "erasures")
	for text, want := range map[string]int{list.out: 0, strings.Replace(list.out, `"stopped":true`, `"stopped":false`, 1): 1, strings.Replace(list.out, "0707", "0708", 1): 1} {
		if err := os.WriteFile(kept, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := m.run(t, "", "privacy", "replay-erasures", kept); got.code != want {
			t.Errorf("replay of %q: exit %d (%s), want %d", text, got.code, got.out, want)
		}
	}
	if err := os.WriteFile(kept, []byte(list.out), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := m.object(t, "", []string{"businesses", "done", "ok", "people", "tombstones"}, "privacy", "replay-erasures", kept); got["tombstones"] != float64(1) || got["people"] != float64(0) {
		t.Errorf("replay: got %v, want one tombstone of nobody here", got)
	}

	// A business that was erased as a whole stands in the list, and goes again where a backup has brought it back.
	state := func(is string) {
		if err := database.DB.System(t.Context(), func(tx *tenants.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE tenants SET state = $2, erase_after = now(), erased = CASE WHEN $2 = 'erased' THEN '{}'::jsonb END WHERE id = $1`, id, is)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	state("erased")
	list = m.run(t, "", "privacy", "erasures")
	if !strings.Contains(list.out, `"tenant":"`+id+`","hash":"","kind":"business"`) {
		t.Errorf("privacy erasures: %q, want the business", list.out)
	}
	state("active")
	if err := os.WriteFile(kept, []byte(list.out), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []float64{1, 0} {
		if got := m.object(t, "", []string{"businesses", "done", "ok", "people", "tombstones"}, "privacy", "replay-erasures", kept); got["businesses"] != want {
			t.Errorf("replay: got %v, want %v businesses", got, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	m := newMachine(t)

	for _, c := range []struct {
		stdin string
		args  string
		want  int
	}{
		{"", "--help", 0},
		{"", "number connect --help", 0},
		{"", "", 2},
		{"", "fly", 2},
		{"", "tenant add --slug asha", 2},
		{"", "operator add --email a@b.example --role king", 2},
		{"", "user add --tenant a --email a@b.example --role king", 2},
		{"", "apikey add --tenant a --scopes read,delete", 2},
		{"", "serve --port 1", 2},
		{password, "tenant add --slug A_B --name A --owner-email a@b.example", 1},
		{"short", "tenant add --slug asha --name A --owner-email a@b.example", 1},
		{password, "user add --tenant nobody --email a@b.example --role agent", 1},
		{"not json", "app add --name demo --meta-app-id 1", 1},
		{`{"app_secret":"canary-app-secret"}`, "app add --name demo --meta-app-id 1", 1},
		{`{"app_secret":"canary-app-secret","verify_token":"canary-verify-token","x":1}`, "app add --name demo --meta-app-id 1", 1},
		{"", "apikey add --tenant nobody --scopes read", 1},
		{"", "audit verify --tenant nobody", 1},
		{"", "healthcheck", 1},
	} {
		r := m.run(t, c.stdin, strings.Fields(c.args)...)
		if r.code != c.want {
			t.Errorf("pehchan %s: exit %d, want %d (%s)", c.args, r.code, c.want, r.errOut)
		}
		if c.want != 0 && (r.out != "" || strings.Count(r.errOut, "\n") != 1) {
			t.Errorf("pehchan %s: printed %q and %q, want one sentence on standard error alone", c.args, r.out, r.errOut)
		}
		if strings.Contains(r.out+r.errOut, "canary") {
			t.Errorf("pehchan %s shows a secret: %q %q", c.args, r.out, r.errOut)
		}
	}
}

func TestBadSettingsStopAtOnce(t *testing.T) {
	t.Parallel()
	database := testdb.New(t)

	for _, env := range []string{
		"PEHCHAN_LISTEN=nowhere",
		"PEHCHAN_PUBLIC_URL=http://pehchan.example",
		"PEHCHAN_GRAPH_URL=ftp://graph.example",
		"DATABASE_URL=" + database.OwnerDSN, // who owns the tables passes the tenant wall
	} {
		m := newMachine(t, env)
		if r := m.run(t, "", "serve"); r.code != 1 || strings.Count(r.errOut, "\n") != 1 {
			t.Errorf("serve with %s: exit %d, %q; want 1 and one sentence", env, r.code, r.errOut)
		}
	}
}

func TestServeAndWorkUntilTold(t *testing.T) {
	t.Parallel()
	m := newMachine(t)

	web := m.start(t, "serve")
	url := web.line(t, "listening on ")
	resp, err := http.Get(url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("GET /healthz: got %d, want 200", resp.StatusCode)
	}
	healthy := machine{env: append(m.env, "PEHCHAN_LISTEN="+strings.TrimPrefix(url, "http://"))}
	healthy.object(t, "", []string{"ok", "roles"}, "healthcheck")

	busy := healthy.run(t, "", "serve")
	if busy.code != 1 || !strings.Contains(busy.errOut, "address already in use") {
		t.Errorf("serve on a port in use: exit %d, %q", busy.code, busy.errOut)
	}

	worker := m.start(t, "work")
	worker.line(t, "working")
	if code := worker.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("work after SIGTERM: exit %d, want 0: %s", code, worker.errOut)
	}
	if code := web.stop(t, syscall.SIGINT); code != 0 {
		t.Errorf("serve after SIGINT: exit %d, want 0: %s", code, web.errOut)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	database := testdb.NewEmpty(t)
	m := newEmbedded(t, "DATABASE_URL="+database.AppDSN, "PEHCHAN_OWNER_URL="+database.OwnerDSN)

	early := m.run(t, "", "audit", "verify")
	if early.code != 1 || !strings.Contains(early.errOut, "pehchan migrate") {
		t.Errorf("before migrate: exit %d, %q; want to be told of pehchan migrate", early.code, early.errOut)
	}
	for range 2 {
		m.object(t, "", []string{"schema"}, "migrate")
	}
	m.object(t, "", []string{"chains", "entries", "ok"}, "audit", "verify")

	alone := newEmbedded(t, "DATABASE_URL="+database.AppDSN)
	if r := alone.run(t, "", "migrate"); r.code != 1 || !strings.Contains(r.errOut, "PEHCHAN_OWNER_URL") {
		t.Errorf("migrate without the owner: exit %d, %q", r.code, r.errOut)
	}
}

func TestCommandsOnTheEmbeddedDatabase(t *testing.T) {
	t.Parallel()
	m := newEmbedded(t)

	// Nothing runs: the command starts the database, and leaves nothing running.
	add := []string{"tenant", "add", "--name", "A", "--owner-email", "owner@asha-clinic.example", "--slug"}
	if r := m.run(t, password, append(add, "asha-clinic")...); r.code != 0 {
		t.Fatalf("tenant add: exit %d, %s", r.code, r.errOut)
	}

	web := m.start(t, "serve")
	web.line(t, "listening on ")
	if r := m.run(t, password, append(add, "ravi-motors")...); r.code != 0 {
		t.Errorf("tenant add beside a server: exit %d, %s", r.code, r.errOut)
	}
	if code := web.stop(t, os.Interrupt.(syscall.Signal)); code != 0 {
		t.Errorf("serve after an interrupt: exit %d: %s", code, web.errOut)
	}

	verified := m.run(t, "", "audit", "verify")
	if verified.code != 0 || !regexp.MustCompile(`in 3 chains`).MatchString(verified.out) {
		t.Errorf("audit verify: exit %d, %q; want the platform's and two tenants' chains", verified.code, verified.out)
	}
}
