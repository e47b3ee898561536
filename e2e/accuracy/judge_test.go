package main_test

import (
	"math"
	"testing"

	accuracy "github.com/pehchan/pehchan/e2e/accuracy"
)

func near(got, want float64) bool { return math.Abs(got-want) < 0.0005 }

// TestWilson compares with the interval's published values.
func TestWilson(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		share     accuracy.Share
		low, high float64
	}{
		{accuracy.Share{Hits: 10, Of: 10}, 0.7225, 1},
		{accuracy.Share{Hits: 0, Of: 20}, 0, 0.1611},
		{accuracy.Share{Hits: 81, Of: 263}, 0.2553, 0.3662},
		{accuracy.Share{Hits: 10_000, Of: 10_000}, 0.9996, 1},
	} {
		if low, high := c.share.Wilson(); !near(low, c.low) || !near(high, c.high) {
			t.Errorf("%v: got %.4f to %.4f, want %.4f to %.4f", c.share, low, high, c.low, c.high)
		}
	}
}

func TestJoinedSetsShareNothing(t *testing.T) {
	t.Parallel()

	a, b, c := accuracy.NewNode("phone", "1", "p"), accuracy.NewNode("bsuid", "2", "p"), accuracy.NewNode("bsuid", "3", "p")
	elsewhere := accuracy.NewNode("phone", "1", "q")
	got := accuracy.Joined([][]accuracy.Node{{a, b}, {elsewhere}, {a, c}, {b, a}})
	if len(got) != 2 || len(got[0])*len(got[1]) != 3 {
		t.Errorf("got %v, want the phone with both ids, and the other portfolio's phone alone", got)
	}
}

func TestBCubed(t *testing.T) {
	t.Parallel()

	truth := accuracy.Authored(map[string]string{"m1": "asha", "m2": "asha", "m3": "asha", "m4": "ravi"})
	r := accuracy.Result{}
	// One contact holds two of Asha's and Ravi's message; her third stands nowhere.
	r.BCubed(truth, map[string]string{"m1": "c1", "m2": "c1", "m4": "c1"})
	// Precision: (2·2/3 + 1/3 + 1) / 4. Recall: (2·2/3 + 1/3 + 1) / 4.
	if r.Messages != 4 || r.Lost != 1 || !near(r.Precise/4, 2.6667/4) || !near(r.Complete/4, 2.6667/4) {
		t.Errorf("got %+v", r)
	}
}
