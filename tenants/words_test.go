package tenants_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	latinName  = regexp.MustCompile(`(?i)usernames?`)
	// latinStays are where the Latin word is right: WhatsApp's button and menu, a handle or what stands for one, names of Meta's own, code.
	latinStays = regexp.MustCompile(`(?:Account, |Account, फिर |Use Instagram )[Uu]sername|@username|<username>|\{username\}|usernames\.[a-z]+|` +
		`Usernames? API|business_username_updates`)
	// aPattern is no text but what people's answers are held against.
	aPattern = regexp.MustCompile(`\(\?:|\.\{\d+,\d+\}|\|`)
)

// What the product is about has one word in Hindi, यूज़रनेम, whichever page says it.
func TestHindiWordsForUsernameAreOne(t *testing.T) {
	t.Parallel()
	texts := 0
	for _, top := range []string{"../tenants", "../views"} {
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "words.json") {
				return err
			}
			if ext := filepath.Ext(path); ext != ".json" && ext != ".go" && ext != ".templ" {
				return nil
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, text := range quotedText.FindAllString(string(raw), -1) {
				if !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Devanagari, r) }) || aPattern.MatchString(text) {
					continue
				}
				texts++
				if rest := latinStays.ReplaceAllString(text, ""); latinName.MatchString(rest) {
					t.Errorf("%s: %s says username, want यूज़रनेम", path, text)
				}
			}

			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if texts < 2000 {
		t.Errorf("read %d Hindi texts, the walk is broken", texts)
	}
}
