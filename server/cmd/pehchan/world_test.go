package main_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// hook takes signed webhooks as a server would, but is not ready for the first of them.
type hook struct {
	*httptest.Server
	mu    sync.Mutex
	tries int
	taken [][sha256.Size]byte // digests of the bodies
}

func newHook(t *testing.T, secret string) *hook {
	t.Helper()

	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.tries++
		switch {
		case err != nil || !whatsapp.VerifySignature(r.Header.Get("X-Hub-Signature-256"), body, []byte(secret)):
			w.WriteHeader(http.StatusUnauthorized)
		case h.tries == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			h.taken = append(h.taken, sha256.Sum256(body))
		}
	}))
	t.Cleanup(h.Close)

	return h
}

func TestSimulate(t *testing.T) {
	t.Parallel()
	m, folder := newEmbedded(t), t.TempDir()
	secret, truth := filepath.Join(folder, "secret"), filepath.Join(folder, "truth.jsonl")
	if err := os.WriteFile(secret, []byte("app-secret-of-a-test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	simulate := func(h *hook, more ...string) []string {
		return append([]string{
			"simulate", "--to", h.URL, "--app-secret-file", secret, "--waba-id", "700", "--phone-number-id", "800",
			"--display-phone", "15550199042", "--people", "10", "--events", "60",
		}, more...)
	}

	first, second := newHook(t, "app-secret-of-a-test"), newHook(t, "app-secret-of-a-test")
	said := m.object(t, "", []string{"deliveries", "events", "people"}, simulate(first, "--seed", "7", "--rate", "5000", "--truth", truth)...)
	if said["events"] != 60.0 || said["deliveries"] != float64(len(first.taken)) {
		t.Errorf("simulate says %v, the hook took %d deliveries", said, len(first.taken))
	}
	m.object(t, "", []string{"deliveries", "events", "people"}, simulate(second, "--seed", "7")...)
	if !slices.Equal(first.taken, second.taken) {
		t.Error("one seed made two worlds")
	}

	lines := readTruth(t, truth)
	if said["people"] != float64(len(lines)) {
		t.Errorf("the truth has %d lines, simulate says %v people", len(lines), said["people"])
	}
	for _, line := range lines {
		if got, want := slices.Sorted(maps.Keys(line)), []string{"identifiers", "name", "person", "wamids"}; !slices.Equal(got, want) {
			t.Fatalf("truth of a person: got keys %v, want %v", got, want)
		}
	}

	stranger := newHook(t, "another-secret")
	if r := m.run(t, "", simulate(stranger, "--seed", "7")...); r.code != 1 || !strings.Contains(r.errOut, "401") {
		t.Errorf("simulate with a wrong secret: exit %d, %q; want 1 and the status", r.code, r.errOut)
	}
	if r := m.run(t, "", simulate(first, "--seed", "seven")...); r.code != 2 {
		t.Errorf("simulate with a bad seed: exit %d, want 2", r.code)
	}
}

func readTruth(t *testing.T, path string) (lines []map[string]any) {
	t.Helper()

	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		var person map[string]any
		if err := json.Unmarshal(line, &person); err != nil {
			t.Fatalf("a line of the truth: %v", err)
		}
		lines = append(lines, person)
	}

	return lines
}

func TestConnectThroughTheSandbox(t *testing.T) {
	t.Parallel()
	m := newMachine(t)

	graph := m.start(t, "sandbox", "--listen", "127.0.0.1:0", "--json")
	var known struct {
		Listening string           `json:"listening"`
		Numbers   []sandbox.Number `json:"numbers"`
		Tokens    []sandbox.Token  `json:"tokens"`
	}
	if err := json.Unmarshal([]byte(graph.line(t, "")), &known); err != nil {
		t.Fatal(err)
	}
	m.env = append(m.env, "PEHCHAN_GRAPH_URL="+known.Listening)

	m.object(t, password, []string{"slug", "tenant_id"},
		"tenant", "add", "--slug", "asha-clinic", "--name", "Asha Clinic", "--owner-email", "owner@asha-clinic.example")
	m.object(t, appSecrets, []string{"app", "webhook_path"}, "app", "add", "--name", "demo", "--meta-app-id", "900100")
	n := known.Numbers[0]
	connect := []string{
		"number", "connect", "--tenant", "asha-clinic", "--app", "demo", "--waba-id", n.WABAID,
		"--phone-number-id", n.PhoneNumberID, "--display-phone", "+" + n.DisplayPhone,
	}
	for _, token := range known.Tokens {
		if token.State == sandbox.TokenGood {
			continue
		}
		r := m.run(t, `{"access_token":"`+token.Token+`"}`, connect...)
		if r.code != 1 || !strings.Contains(r.errOut, "oken") || strings.Contains(r.errOut, token.Token) {
			t.Errorf("connect with a token that is %s: exit %d, %q", token.State, r.code, r.errOut)
		}
	}
	number := m.object(t, `{"access_token":"`+known.Tokens[0].Token+`"}`, []string{"number_id", "state"}, connect...)
	if number["state"] != "waiting" {
		t.Errorf("connect with a good token: got state %v, want waiting", number["state"])
	}

	if code := graph.stop(t, syscall.SIGINT); code != 0 {
		t.Errorf("sandbox after an interrupt: exit %d", code)
	}
}
