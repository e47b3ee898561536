package e2e_test

import (
	"net/http"
	"testing"
)

// An agent is refused, in words, what only an owner may, and is not led there.
func TestAgentIsRefused(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	n := st.number(t, 0)
	st.past(t, n)

	owner := st.tab(t, wide)
	owner.signIn("Asha")
	owner.see("nav-numbers", "nav-team", "nav-apps", "nav-keys")
	owner.open("/numbers")
	number := owner.attr("number-*", "data-testid")[len("number-"):]

	agent := st.tab(t, wide)
	agent.signIn("Meera")
	agent.at("/home")
	for _, entry := range []string{"nav-numbers", "nav-team", "nav-apps", "nav-keys"} {
		if agent.has(entry) {
			t.Errorf("an agent is shown %s", entry)
		}
	}
	for _, path := range []string{"/numbers/new", "/numbers/" + number, "/team", "/apps", "/dev/keys", "/op"} {
		agent.open(path)
		agent.see("error", "error-twice")
		if got := agent.status(); got != http.StatusForbidden {
			t.Errorf("%s as an agent: got %d, want 403", path, got)
		}
	}

	agent.open("/settings")
	agent.see("my-settings")
	if agent.has("save-business") {
		t.Error("an agent is shown a form for the business's settings")
	}

	// Another business's number is not there at all.
	stranger := st.tab(t, wide)
	stranger.signIn("Ravi")
	stranger.open("/numbers/" + number)
	stranger.see("error")
	if got := stranger.status(); got != http.StatusNotFound {
		t.Errorf("another business's number: got %d, want 404", got)
	}
}
