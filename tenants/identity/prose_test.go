package identity_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/identity"
)

// WhatsApp may say of one new id in two sentences who it was before (edge case 28): that is one question about both.
func TestTwoSentencesAboutOneAccountAreOneQuestion(t *testing.T) {
	t.Parallel()
	story := []event{
		{wamid: "a", bsuid: "IN.71", phone: "919800000107"},
		{wamid: "b", bsuid: "IN.81", phone: "919800000108"},
		{at: 3, wamid: "c", system: "user_changed_user_id", newBSUID: "IN.99", body: "User changed from IN.71 to IN.99"},
		{at: 4, wamid: "d", system: "user_changed_user_id", newBSUID: "IN.99", body: "User changed from IN.81 to IN.99"},
	}
	w := freshWorld(t)
	w.feed(story...)
	if c := w.onlyCase(); c.Kind != identity.CaseSuggested || len(c.Candidates) != 2 {
		t.Errorf("case %s with %d candidates, want one suggestion with both", c.Kind, len(c.Candidates))
	}
	sameInAnyOrder(t, story)
}
