package erased_test

import (
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/erased"
)

// A number that a contact shares with the business stands with everything that comes by it, and a phone somebody writes is only spoken
// of: neither makes a neighbour's message the person's.
func TestNeighboursStay(t *testing.T) {
	t.Parallel()
	p := erased.Named([]string{"919800000801"}, func(phone string) string { return phone })
	for what, body := range map[string]string{
		"the business's own number":     `{"metadata":{"display_phone_number":"919800000801","phone_number_id":"801"},"messages":[{"from":"919811100099","id":"wamid.1","text":{"body":"hello"}}]}`,
		"a phone that is all of a text": `{"metadata":{"display_phone_number":"1"},"messages":[{"from":"919811100099","id":"wamid.1","text":{"body":"+91 98000 00801"}}]}`,
		"a phone in a caption":          `{"messages":[{"from":"919811100099","id":"wamid.1","image":{"id":"1","caption":"919800000801"}}]}`,
	} {
		out, whole, changed := p.Cut([]byte(body))
		if whole || !strings.Contains(string(out), `"919811100099"`) {
			t.Errorf("%s: got %s, whole %v: want the neighbour's message to stay", what, out, whole)
		}
		if inText := what != "the business's own number"; changed != inText || inText && strings.Contains(string(out), "00801") {
			t.Errorf("%s: got %s, changed %v", what, out, changed)
		}
	}

	out, _, changed := p.Cut([]byte(`{"messages":[{"from":"919811100099","id":"wamid.1","text":{"body":"hello"}},{"from":"919800000801","id":"wamid.2","text":{"body":"mine"}}]}`))
	if !changed || strings.Contains(string(out), "mine") || !strings.Contains(string(out), "hello") {
		t.Errorf("got %s, want theirs gone and the neighbour's kept", out)
	}
}

// An item that was theirs as a whole goes out of its delivery whomever it names, with its profile; a neighbour's by the same phone stays.
func TestAnItemThatWasTheirsGoes(t *testing.T) {
	t.Parallel()
	nobody := erased.Named(nil, func(phone string) string { return phone })
	const body = `{"entry":[{"changes":[{"value":{"contacts":[{"wa_id":"919800000801"},{"wa_id":"919811100099"}],"messages":[` +
		`{"from":"919800000801","id":"wamid.1","text":{"body":"one"}},{"from":"919811100099","id":"wamid.2","text":{"body":"two"}},` +
		`{"from":"919800000801","id":"wamid.3","text":{"body":"three"}}]}}]}]}`
	one := string(nobody.CutDelivery([]byte(body), nil, []string{"0.0.messages.0"}))
	if strings.Contains(one, `"one"`) || !strings.Contains(one, `"two"`) || !strings.Contains(one, `"three"`) || !strings.Contains(one, `"wa_id":"919800000801"`) {
		t.Errorf("got %s, want the first message gone and the profile of who wrote the third kept", one)
	}
	both := string(nobody.CutDelivery([]byte(body), nil, []string{"0.0.messages.0", "0.0.messages.2"}))
	if strings.Contains(both, "919800000801") || !strings.Contains(both, `"two"`) || !strings.Contains(both, `"wa_id":"919811100099"`) {
		t.Errorf("got %s, want both gone with their profile, and the neighbour kept", both)
	}
	const past = `{"entry":[{"changes":[{"value":{"history":[{"threads":[{"id":"1","messages":[{"id":"a"},{"id":"b"}]}]}]}}]}]}`
	if got := string(nobody.CutDelivery([]byte(past), nil, []string{"0.0.history.0.threads.0.messages.1"})); strings.Contains(got, `"b"`) || !strings.Contains(got, `"a"`) {
		t.Errorf("got %s, want the second message of the thread gone", got)
	}
	for _, place := range []string{"", "0", "0.0", "0.0.messages", "9.0.messages.0", "0.0.messages.9", "0.0.contacts.x"} {
		if got := string(nobody.CutDelivery([]byte(body), nil, []string{place})); !strings.Contains(got, `"one"`) || !strings.Contains(got, `"three"`) {
			t.Errorf("%q: got %s, want nothing gone", place, got)
		}
	}
}

// A short number inside a longer one is somebody else's, and JSON stays JSON.
func TestOnlyWholeWordsAreTheirs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ask 56161, or 919856161123": "ask •••, or 919856161123",
		"56161":                      "•••",
		"1561615":                    "1561615",
		"5616156161 56161":           "5616156161 •••",
		"no56161pin":                 "no•••pin",
	} {
		if got := erased.Mask(text, []string{"56161"}); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := erased.Mask("IN.12 IN.123", []string{"IN.12"}); got != "••• IN.123" {
		t.Errorf("got %q, want the longer id to stay", got)
	}
	out, changed := erased.Replace([]byte(`{"at":1790056161,"phone":56161,"key":"a:56161"}`), []string{"56161"}, "erased")
	if want := `{"at":1790056161,"key":"a:erased","phone":"erased"}`; !changed || string(out) != want {
		t.Errorf("got %s, want %s", out, want)
	}
	if _, changed := erased.Replace([]byte(`{"at":1790056161}`), []string{"56161"}, "erased"); changed {
		t.Error("part of a time was taken for a phone")
	}
}
