package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// edgeCase proves the outcome of one of the numbered situations that have broken WhatsApp identity handling elsewhere: what is
// posted, one delivery after the other, and where it ends, in whatever order it comes; then what else has to be looked at.
type edgeCase struct {
	n       int
	told    []any // each an ev, a []ev that comes in one delivery, or the bytes of one
	want    string
	ordered bool // the order is the point
	then    func(t *testing.T, in *inbox)
}

// lastCase is the number of situations.
const lastCase = 95

func TestEdgeCases(t *testing.T) {
	t.Parallel()
	h := newHouse(t)

	proofs := map[int][]edgeCase{}
	for _, list := range [][]edgeCase{splitCases, changeCases, spellingCases, trustCases, mergeCases, tenancyCases, kindCases, sendCases} {
		for _, c := range list {
			proofs[c.n] = append(proofs[c.n], c)
		}
	}
	for n := range proofs {
		if n < 1 || n > lastCase {
			t.Errorf("case %d is not one to be proved here", n)
		}
	}

	for n := 1; n <= lastCase; n++ {
		if len(proofs[n]) == 0 {
			t.Errorf("case %d has no proof", n)
		}
		t.Run(fmt.Sprintf("case_%02d", n), func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				if t.Skipped() {
					t.Error("a case is proved, not skipped")
				}
			})
			for _, c := range proofs[n] {
				c.prove(t, h)
			}
		})
	}
}

func (c edgeCase) prove(t *testing.T, h *house) {
	t.Helper()
	want := strings.TrimSpace(strings.ReplaceAll(c.want, "\n\t\t\t", "\n"))
	orders := [][]any{c.told}
	if backwards := slices.Clone(c.told); len(c.told) > 1 && !c.ordered {
		slices.Reverse(backwards)
		orders = append(orders, backwards)
	}
	for i, told := range orders {
		in := h.open(t)
		for _, one := range told {
			in.tell(t, one)
		}
		if diff := cmp.Diff(want, in.state(t)); diff != "" && c.want != "" {
			t.Errorf("case %d in order %d ends elsewhere (-want +got):\n%s", c.n, i, diff)
		}
		if c.then != nil && i == 0 {
			c.then(t, in)
		}
	}
}

func (in *inbox) tell(t *testing.T, one any) {
	t.Helper()
	switch one := one.(type) {
	case ev:
		in.post(t, posted(one))
	case []ev:
		in.post(t, posted(one...))
	case []byte:
		in.post(t, one)
	case string:
		in.post(t, payload(t, one))
	default:
		t.Fatalf("cannot tell %T", one)
	}
}
