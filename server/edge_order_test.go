package server_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everyKind is a story in which each kind of event says something about the same three people.
var everyKind = []ev{
	{is: "history", id: "h1", at: -900, phone: ashasPhone, bsuid: ashasID, text: "old question"},
	{is: "history", id: "h2", at: -800, phone: leilasPhone, bsuid: mateosID, text: "of another time"},
	{id: "a", at: 1, phone: ashasPhone, bsuid: ashasID, name: "Asha"},
	{id: "b", at: 2, phone: leilasPhone, bsuid: leilasID, name: "Leila"},
	{is: "call", word: "connect", id: "c", at: 3, bsuid: mateosID},
	{is: "call", word: "terminate", id: "c", at: 33, bsuid: mateosID, more: map[string]any{"status": "COMPLETED", "duration": 25}},
	{is: "echo", id: "d", at: 40, phone: ashasPhone, text: "ready at six", alone: true},
	{is: "status", word: "delivered", id: "d", at: 42, phone: ashasPhone, bsuid: ashasID},
	{is: "preference", word: "stop", at: 50, phone: leilasPhone, alone: true},
	{is: "preference", word: "resume", at: 49, bsuid: leilasID},
	{is: "saved", at: 55, phone: ashasPhone, bsuid: mateosID, name: "Asha’s brother"},
	{is: "saved", word: "remove", at: 54, phone: ashasPhone, bsuid: mateosID},
	{is: "system", word: "user_changed_number", id: "e", at: 60, phone: ashasPhone, phone2: ashasNewPhone, bsuid2: ashasNewID, bsuid0: ashasID},
	{is: "history", id: "a", at: 1, phone: ashasPhone, bsuid: ashasID, text: "hello a"},
	{id: "f", at: 70, bsuid: ashasNewID},
}

// TestEveryKindInAnyOrder: however deliveries arrive, each any number of times and cut into any batches, the outcome is the same.
func TestEveryKindInAnyOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.open(t)
	for _, e := range everyKind {
		first.tell(t, e)
	}
	want := first.state(t)

	for seed := range uint64(24) {
		t.Run(fmt.Sprint("order ", seed), func(t *testing.T) {
			t.Parallel()
			in, r := h.open(t), rand.New(rand.NewPCG(seed, 11))
			var batch []ev
			for _, i := range r.Perm(len(everyKind)) {
				batch = append(batch, everyKind[i])
				if r.IntN(3) == 0 {
					again := posted(everyKind[r.IntN(i+1)])
					in.send(t, append(bytes.Repeat([]byte(" "), 1+r.IntN(9)), again...)) // other bytes, the same event
				}
				if r.IntN(3) == 0 {
					in.tell(t, batch)
					batch = nil
				}
			}
			in.tell(t, batch)
			for _, e := range everyKind { // what was only repeated so far has been told by now
				in.tell(t, e)
			}
			if diff := cmp.Diff(want, in.state(t)); diff != "" {
				t.Errorf("ends elsewhere (-told +this):\n%s", diff)
			}
		})
	}
}
