package server_test

import (
	"net/http"
	"testing"
)

// TestCaseTellsWhatCountsAndWhatIsMissing: the page marks each reason by its own strength and says what would settle it, in words and
// with no figure of likelihood, which nobody has measured; the API gives the figures of the model.
func TestCaseTellsWhatCountsAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	k := st.shop(t, st.clinic).rajesh()
	b := st.signedIn(t, "meera")
	page := b.get("/resolve/" + k.ID.String() + "?tab=suggested")
	b.has(page, http.StatusOK, `data-testid="certain"`, `data-testid="tier-b"`, `data-testid="tier-c"`,
		"What would make it certain", "The next message that you send to ••0480")
	b.lacks(page, "98000 00480", "919800000480", "Likelihood")

	api := newAPISite(t)
	suggested := api.mine.caseOf("suggested")
	if suggested.text("candidates", 0, "score", "model") == "" || suggested.text("candidates", 0, "score", "items", 0, "code") != "typed_number" {
		t.Errorf("want a score that starts with the typed number, got %v", suggested.json)
	}
	if suggested.text("next_proof", "code") != "certain_message" {
		t.Errorf("want what would settle it, got %v", suggested.json)
	}
}
