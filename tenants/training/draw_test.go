package training_test

import (
	"slices"
	"testing"

	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// Whichever questions chance draws, each of the gates can be broken in them and every domain has its share.
func TestEveryQuizTemptsAtEveryGate(t *testing.T) {
	t.Parallel()
	bank, err := content.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(600) {
		form := content.Forms[seed%3]
		items := training.Draw(bank, form, training.QuizItems, seed, nil, nil)
		if !slices.Equal(items, training.Draw(bank, form, training.QuizItems, seed, nil, nil)) {
			t.Fatalf("seed %d draws other questions the second time", seed)
		}
		tempts, domains, others := map[string]bool{}, map[string]int{}, 0
		for _, id := range items {
			item, ok := bank.Item(id)
			if !ok {
				t.Fatalf("seed %d draws %s, which is not in the bank", seed, id)
			}
			domains[item.Domain]++
			for _, o := range item.Options {
				tempts[o.Gate] = true
			}
			if item.Form != form {
				others++
			}
		}
		for _, gate := range content.Gates {
			if !tempts[gate] {
				t.Errorf("seed %d, form %s: nothing in %v breaks %s", seed, form, items, gate)
			}
		}
		for domain, weight := range content.Weights {
			if least := training.QuizItems * weight / 100; domains[domain] < least || domains[domain] > least+1 {
				t.Errorf("seed %d, form %s: %d of ten questions are of domain %s, which weighs %d", seed, form, domains[domain], domain, weight)
			}
		}
		if len(items) != training.QuizItems || others > 1 {
			t.Errorf("seed %d, form %s: %d questions, %d of them of another form", seed, form, len(items), others)
		}
	}
}
