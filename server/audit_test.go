package server_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/views/i18n"
)

// The record speaks of numbers, people and customers by what they are called, in the reader's language.
func TestAuditNamesWhatWasDone(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha := st.signedIn(t, "asha")
	at := asha.connect(sandbox.Known().Numbers[0])
	s := st.shop(t, st.clinic)
	s.writes(0, "", "IN.1", "Farida", "hello")
	id := s.cases("new")[0].ID.String()
	asha.post("/resolve/"+id, decision(s.cases("new")[0], "new", "tab", "new"))

	page := asha.get("/audit")
	asha.has(page, http.StatusOK, `href="`+at+`"><bdi>+1 55501 99042`, `href="/resolve/`+id+`"><bdi>See the case`, "Phone number ID", "Somebody new")
	asha.lacks(page, "phone_number_id", "case.decide")
	if signed := page.body[strings.Index(page.body, "Signed in"):]; strings.HasPrefix(signed, `Signed in <span class="dotted">`) {
		t.Errorf("who signed in is named twice: %.120s", signed)
	}
}

// A new kind of act comes with its words.
func TestEveryActOfTheAuditHasWords(t *testing.T) {
	t.Parallel()

	act, found := regexp.MustCompile(`Action:\s+"([a-z_.]+)"`), 0
	for _, dir := range []string{".", "../tenants"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range act.FindAllSubmatch(source, -1) {
				found++
				if key := "audit.did_" + strings.ReplaceAll(string(m[1]), ".", "_"); !i18n.Known(key) {
					t.Errorf("%s writes %q, which has no words: want %s", path, m[1], key)
				}
			}

			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 20 {
		t.Errorf("found %d acts, want all of them", found)
	}
}
