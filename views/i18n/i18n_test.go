package i18n_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/pehchan/pehchan/views/i18n"
)

// same are the messages that read alike in both languages: names, and words
// that Hindi writes in Latin letters.
var same = []string{"manual.number_id", "manual.waba", "manual.portfolio", "help.word_identifier", "contacts.kind_bsuid", "resolve.row_whatsapp_id"}

type entry struct {
	file  string
	texts []string // one, or one for each plural form
}

// messages reads the files of lang themselves, to see what loading hides.
func messages(t *testing.T, lang string) map[string]entry {
	t.Helper()
	found := map[string]entry{}
	files, err := filepath.Glob("locales/*." + lang + ".json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no message files of %s: %v", lang, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		if _, err := dec.Token(); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			var value any
			if err := dec.Decode(&value); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			id := key.(string)
			if first, twice := found[id]; twice {
				t.Errorf("%s is in %s and in %s", id, first.file, file)
			}
			e := entry{file: file}
			switch value := value.(type) {
			case string:
				e.texts = []string{value}
			case map[string]any:
				if len(value) != 2 || value["one"] == nil || value["other"] == nil {
					t.Errorf("%s in %s: want the forms one and other", id, file)
					continue
				}
				e.texts = []string{value["one"].(string), value["other"].(string)}
			}
			found[id] = e
		}
	}
	return found
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

func placeholders(text string) string {
	names := placeholder.FindAllString(text, -1)
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

func TestBothLanguagesSayTheSameThings(t *testing.T) {
	t.Parallel()
	en, hi := messages(t, "en"), messages(t, "hi")
	for _, key := range slices.Sorted(maps.Keys(en)) {
		if _, ok := hi[key]; !ok {
			t.Errorf("%s has no Hindi", key)
			continue
		}
		if len(en[key].texts) != len(hi[key].texts) {
			t.Errorf("%s has plural forms in one language only", key)
			continue
		}
		for i, text := range hi[key].texts {
			if got, want := placeholders(text), placeholders(en[key].texts[i]); got != want {
				t.Errorf("%s: Hindi has placeholders %q, English %q", key, got, want)
			}
			if text == "" || en[key].texts[i] == "" {
				t.Errorf("%s is empty", key)
			}
			if slices.Contains(same, key) || key == "frame.other_language" {
				continue // the last is written in the language it leads to
			}
			if !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Devanagari, r) }) {
				t.Errorf("%s: Hindi without Devanagari: %q", key, text)
			}
		}
	}
	for key := range hi {
		if _, ok := en[key]; !ok {
			t.Errorf("%s has no English", key)
		}
	}
}

// sources are the program's own files, without tests and generated code.
func sources(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") && name != ".." || name == "node_modules" || name == "testdata") {
			return fs.SkipDir
		}
		isSource := strings.HasSuffix(name, ".templ") ||
			strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_templ.go") && !strings.HasSuffix(name, "_test.go")
		if d.IsDir() || !isSource {
			return nil
		}
		raw, err := os.ReadFile(path)
		found[path] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var (
	keyShape = regexp.MustCompile(`"([a-z]+(?:_[a-z]+)*\.[a-z0-9_]+)"`)
	prefix   = regexp.MustCompile(`"([a-z]+(?:_[a-z]+)*\.(?:[a-z0-9_]+_)?)"`) // "nav." + key
	asked    = regexp.MustCompile(`(?:\b[TN]\(ctx, |\bParts\(ctx, |components\.T\(|\bSay\(|Known\()"([^"]+)"[,)]`)
)

func TestKeysInUseAndKeysWrittenAreTheSame(t *testing.T) {
	t.Parallel()
	en := messages(t, "en")
	used := map[string]bool{}
	for path, text := range sources(t) {
		for _, match := range keyShape.FindAllStringSubmatch(text, -1) {
			used[match[1]] = true
		}
		for _, match := range prefix.FindAllStringSubmatch(text, -1) {
			for key := range en {
				if strings.HasPrefix(key, match[1]) {
					used[key] = true
				}
			}
		}
		for _, match := range asked.FindAllStringSubmatch(text, -1) {
			if _, ok := en[match[1]]; !ok {
				t.Errorf("%s asks for %q, which no file has", path, match[1])
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(en)) {
		if !used[key] {
			t.Errorf("%s of %s is used nowhere", key, en[key].file)
		}
	}
}

func TestUnknownKeyPanicsInTests(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("T with an unknown key returned, want a panic")
		}
	}()
	i18n.T(context.Background(), "time.no_such_key")
}

func TestFormats(t *testing.T) {
	t.Parallel()
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	en := i18n.With(t.Context(), "en", kolkata)
	hi := i18n.With(t.Context(), "hi", kolkata)
	now := time.Date(2026, 7, 5, 8, 35, 0, 0, time.UTC)
	for _, c := range []struct{ what, got, want string }{
		{"number en", i18n.Number(en, 12345678), "1,23,45,678"},
		{"number hi", i18n.Number(hi, 12345678), "1,23,45,678"},
		{"small number", i18n.Number(hi, 7), "7"},
		{"date en", i18n.Date(en, now), "5 Jul 2026"},
		{"date hi", i18n.DateTime(hi, now), "5 जुल॰ 2026, 2:05 pm"},
		{"exact", i18n.Exact(en, now), "5 Jul 2026, 2:05:00 pm IST"},
		{"just now", i18n.Ago(en, now.Add(-5*time.Second), now), "just now"},
		{"one hour", i18n.Ago(en, now.Add(-90*time.Minute), now), "1 hour ago"},
		{"one hour hi", i18n.Ago(hi, now.Add(-90*time.Minute), now), "1 घंटा पहले"},
		{"two hours hi", i18n.Ago(hi, now.Add(-150*time.Minute), now), "2 घंटे पहले"},
		{"long ago", i18n.Ago(en, now.AddDate(0, -2, 0), now), "5 May 2026"},
		{"ahead", i18n.Ago(en, now.Add(3*time.Hour), now), "in 3 hours"},
		{"all but one", i18n.Percent(en, 999, 1000), "99%"},
		{"one in a thousand", i18n.Percent(en, 1, 1000), "1%"},
		{"all", i18n.Percent(en, 1000, 1000), "100%"},
		{"month hi", i18n.Month(hi, now), "जुल॰ 2026"},
		{"day anywhere", i18n.Day(i18n.With(t.Context(), "en", time.FixedZone("west", -10*3600)), time.Date(2026, 7, 5, 0, 0, 0, 0, time.UTC)), "5 Jul 2026"},
		{"country en", i18n.Country(en, "DO"), "Dominican Republic"},
		{"country hi", i18n.Country(hi, "IN"), "भारत"},
		{"no country", i18n.Country(hi, "Q1"), "Q1"},
		{"unknown language", i18n.Lang(i18n.With(t.Context(), "xx", nil)), "en"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
}

// A value that a customer chose must not be read as part of the message.
func TestPartsLeaveValuesAlone(t *testing.T) {
	t.Parallel()
	parts := i18n.Parts(t.Context(), "ident.copy", "value", "{count}")
	if len(parts) != 2 || parts[1].Text != "{count}" {
		t.Errorf("got %+v, want the value as it is", parts)
	}
}
