package reference_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pehchan/pehchan/tenants/identity/reference"
)

// What it is held against must not help it: no package of the product, and none that does more than order and print.
func TestItStandsByItself(t *testing.T) {
	t.Parallel()

	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"cmp", "fmt", "slices", "strings"}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(allowed, name) {
				t.Errorf("%s imports %s, want only %v", path, name, allowed)
			}
		}
	}
}

const day = 24 * 3600

// The examples of the edge cases that the rules were taken from, worked out by hand.
func TestExamples(t *testing.T) {
	t.Parallel()

	said := func(at int64, name, phone, bsuid string) reference.Step {
		return reference.Step{Event: &reference.Event{At: at * day, Tie: name, Name: name, Inbound: true, Who: reference.Naming{Phone: phone, BSUID: bsuid}}}
	}
	changed := func(at int64, was, is reference.Naming) reference.Step {
		return reference.Step{Event: &reference.Event{At: at * day, Tie: "change", Change: &reference.Change{Old: was, New: is}}}
	}
	for name, c := range map[string]struct {
		steps []reference.Step
		want  []string
	}{
		"6 a phone with a history is shown with a BSUID": {
			[]reference.Step{said(0, "a", "101", ""), said(1, "b", "", "IN.1"), said(2, "c", "101", "IN.1")},
			[]string{"person [ bsuid IN.1 now,  phone 101 now | a b c]"},
		},
		"6 but it had been silent": {
			[]reference.Step{said(0, "a", "101", ""), said(181, "c", "101", "IN.1")},
			[]string{
				"conflict silent_number 101 about [ bsuid IN.1 now,  phone 101 now | c] with [ phone 101 past | a]",
				"person [ bsuid IN.1 now,  phone 101 now | c]", "person [ phone 101 past | a]",
			},
		},
		"26 a new number": {
			[]reference.Step{
				said(0, "a", "101", "IN.1"), said(2, "b", "102", "IN.2"), said(3, "c", "101", ""),
				changed(1, reference.Naming{Phone: "101", BSUID: "IN.1"}, reference.Naming{Phone: "102", BSUID: "IN.2"}),
			},
			[]string{
				"conflict after_move 101 about [ phone 101 now | c] with [ bsuid IN.1 past,  bsuid IN.2 now,  phone 101 past,  phone 102 now | a b]",
				"person [ bsuid IN.1 past,  bsuid IN.2 now,  phone 101 past,  phone 102 now | a b]", "person [ phone 101 now | c]",
			},
		},
		"34 a recycled number": {
			[]reference.Step{said(0, "a", "101", "IN.1"), said(5, "b", "101", "IN.2"), said(6, "c", "101", "")},
			[]string{
				"conflict recycled_number 101 about [ bsuid IN.2 now,  phone 101 now | b c] with [ bsuid IN.1 now,  phone 101 past | a]",
				"person [ bsuid IN.1 now,  phone 101 past | a]", "person [ bsuid IN.2 now,  phone 101 now | b c]",
			},
		},
		"1 nobody has shown a phone": {
			[]reference.Step{said(0, "a", "", "IN.1"), said(1, "b", "", "IN.1")},
			[]string{"person [ bsuid IN.1 now | a b]", "who is [ bsuid IN.1 now | a b]"},
		},
		"a merge": {
			[]reference.Step{
				said(0, "a", "101", ""), said(1, "b", "", "IN.1"),
				{Act: &reference.Act{
					Kind: reference.Together, A: reference.Handle{Kind: reference.Phone, Value: "101"}, B: reference.Handle{Kind: reference.BSUID, Value: "IN.1"}, AtA: 0, AtB: day,
				}},
			},
			[]string{"person [ bsuid IN.1 now | b] + [ phone 101 now | a]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if diff := cmp.Diff(c.want, reference.Picture(c.steps)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			slices.Reverse(c.steps)
			if c.steps[0].Act != nil {
				return
			}
			if diff := cmp.Diff(c.want, reference.Picture(c.steps)); diff != "" {
				t.Errorf("the other way round, -want +got:\n%s", diff)
			}
		})
	}
}
