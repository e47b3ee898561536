package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSimulateEverything(t *testing.T) {
	t.Parallel()
	m, folder := newEmbedded(t), t.TempDir()
	secret, told, contacts := filepath.Join(folder, "secret"), filepath.Join(folder, "told.jsonl"), filepath.Join(folder, "contacts.csv")
	if err := os.WriteFile(secret, []byte("app-secret-of-a-test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHook(t, "app-secret-of-a-test")
	line := []string{
		"simulate", "--to", h.URL, "--app-secret-file", secret, "--waba-id", "700", "--phone-number-id", "800", "--display-phone", "15550199042",
		"--people", "20", "--events", "300", "--days", "300", "--seed", "7", "--calendar", "--parents", "--contact-book", "--coexistence",
	}

	said := m.object(t, "", []string{"deliveries", "events", "people"},
		append(line, "--portfolio", "506", "--also", "701:801:15550199043:507", "--told", told, "--contacts", contacts)...)
	lines := readTruth(t, told)
	if said["events"] != float64(len(lines)) {
		t.Errorf("simulate sent %v events and told of %d", said["events"], len(lines))
	}
	numbers, kinds := map[any]bool{}, map[any]bool{}
	for _, l := range lines {
		numbers[l["phone_number_id"]], kinds[l["kind"]] = true, true
	}
	if !numbers["800"] || !numbers["801"] || !kinds["message"] || !kinds["status"] {
		t.Errorf("simulate told of numbers %v and kinds %v", numbers, kinds)
	}
	list, err := os.ReadFile(contacts)
	if err != nil || !strings.HasPrefix(string(list), "Customer ID,Name,Mobile,WhatsApp ID\n") || strings.Count(string(list), "\n") < 5 {
		t.Errorf("contacts: got %.100q, %v", list, err)
	}

	for _, also := range []string{"701", "701::15550199043", "1:2:3:4:5"} {
		if r := m.run(t, "", append(line, "--also", also)...); r.code != 2 {
			t.Errorf("simulate --also %s: exit %d, want 2", also, r.code)
		}
	}
}
