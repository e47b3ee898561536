package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

func TestHealthOfANumber(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	asha := st.signedIn(t, "asha")
	at := asha.connect(sandbox.Known().Numbers[0])
	strange := textMessage("one")
	strange["mood"] = "sunny"
	st.send(t, delivery(sandbox.Known().Numbers[0], strange))

	r := asha.until(at+"/health", `data-testid="drift-row"`)
	for _, want := range []string{`data-testid="field-messages"`, "never yet", "1 in the last hour", "mood"} {
		if !strings.Contains(r.body, want) {
			t.Errorf("want %q on the page: %s", want, r.body)
		}
	}
	if strings.Contains(r.body, "sunny") {
		t.Error("the sample of an unknown key shows what a customer wrote")
	}
	if r := asha.get(at + "/health/live"); !strings.Contains(r.body, `data-testid="rate"`) || strings.Contains(r.body, "<html") {
		t.Errorf("want the live part alone: %s", r.body)
	}
	if r := st.signedIn(t, "ravi").get(at + "/health"); r.status != http.StatusNotFound {
		t.Errorf("another business's number: want 404, got %d", r.status)
	}
}
