package facts_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// claims are words that only the ledger may say: a day or month of a year, and how far WhatsApp's change has come somewhere.
var claims = []*regexp.Regexp{
	regexp.MustCompile(`\b20[23]\d\b`),
	regexp.MustCompile(`[२][०][२३][०-९]`),
	regexp.MustCompile(`(?i)\b(?:january|february|march|april|june|july|august|september|october|november|december)\b`),
	regexp.MustCompile(`\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b`),
	regexp.MustCompile(`\d{1,2} (?:जनवरी|फ़रवरी|फरवरी|मार्च|अप्रैल|मई|जून|जुलाई|अगस्त|सितंबर|अक्टूबर|नवंबर|दिसंबर)`),
	regexp.MustCompile(`(?i)\b(?:paused|banned|rolled out|roll-out|rollout|launch(?:ed|es)?|goes live|went live|coming soon|active|available|live|halted|on hold)\b[^.]{0,40}\b(?:in|for) (?:` + countries + `)\b`),
	regexp.MustCompile(`(?i)\b(?:` + countries + `)\b[^.]{0,40}\b(?:paused|banned|rolled out|launch(?:ed|es)?|goes live|went live|coming soon|active|live|halted|on hold|MeitY)\b`),
	regexp.MustCompile(`(?:भारत|नेपाल|मलेशिया|सिंगापुर|अमेरिका)[^।]{0,40}(?:रुक|रोक|चालू|शुरू|लागू)`),
	regexp.MustCompile(`(?i)\b(?:usernames?|reservations?)\b[^.]{0,30}\b(?:start|begin|open|arrive|come|launch)(?:s|ed)? (?:on|in|from|by|this|next|soon)\b`),
}

const countries = `India|Nepal|Algeria|Azerbaijan|Ghana|Libya|Colombia|Dominican Republic|Malaysia|Peru|Singapore|Egypt|United States|USA`

// exempt are texts that look like a claim and are none, by where they stand.
var exempt = map[string][]string{
	"../../server/cmd/pehchan/simulate.go": {"2026-01-05", "BSUIDs begin on"}, // the make-believe world's own calendar
}

// No template, message or handler says a date or status of the rollout: all of that is printed from the ledger, where it has a source
// and a day on which it was checked.
func TestNothingElseTellsOfTheRollout(t *testing.T) {
	t.Parallel()
	texts := 0
	for _, root := range []string{"../../views", "../../server"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if d.Name() == "testdata" {
					return fs.SkipDir
				}
				return nil
			}
			for _, text := range said(t, filepath.ToSlash(path)) {
				texts++
				judge(t, filepath.ToSlash(path), text)
			}

			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if texts < 3000 {
		t.Errorf("looked at %d texts, the walk is broken", texts)
	}
}

func judge(t *testing.T, path, text string) {
	t.Helper()
	for _, claim := range claims {
		found := claim.FindString(text)
		if found == "" {
			continue
		}
		allowed := false
		for _, part := range exempt[path] {
			allowed = allowed || strings.Contains(text, part)
		}
		if !allowed {
			t.Errorf("%s says %q (%.80q): say it in the ledger, tenants/facts/seed", path, found, text)
		}
	}
}

var (
	comment  = regexp.MustCompile(`(?m)^\s*//.*$`)
	messages = regexp.MustCompile(`\.(en|hi)\.json$`)
)

// said are the texts of a file that a reader could come to see: all messages, a template as it stands, the strings of a program.
func said(t *testing.T, path string) []string {
	t.Helper()
	if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") {
		return nil
	}
	switch {
	case messages.MatchString(path):
		var all map[string]any
		read(t, path, &all)
		var out []string
		for _, value := range all {
			switch value := value.(type) {
			case string:
				out = append(out, value)
			case map[string]any:
				for _, form := range value {
					if text, ok := form.(string); ok {
						out = append(out, text)
					}
				}
			}
		}

		return out
	case strings.HasSuffix(path, ".templ"):
		return strings.Split(comment.ReplaceAllString(string(raw(t, path)), ""), "\n")
	case strings.HasSuffix(path, ".go"):
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					text = lit.Value // a struct tag
				}
				out = append(out, text)
			}

			return true
		})

		return out
	}

	return nil
}

func raw(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	return b
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	if err := json.Unmarshal(raw(t, path), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// The net itself: what it must catch, and what it must let through.
func TestTheNetHolds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"Usernames start in June 2026":                true,
		"Paused in India":                             true,
		"India: usernames are on hold":                true,
		"भारत में अभी रुका है":                        true,
		"1 जुलाई से":                                  true,
		"Reservations open in September":              true,
		"by २०२६":                                     true,
		"It turned itself off":                        false,
		"{name} came on {date}":                       false,
		"Numbers in India have ten digits":            false,
		"WhatsApp lets you write freely for 24 hours": false,
	} {
		caught := false
		for _, claim := range claims {
			caught = caught || claim.MatchString(text)
		}
		if caught != want {
			t.Errorf("%q: caught %v, want %v", text, caught, want)
		}
	}
}
