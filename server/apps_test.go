package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestApps(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha := st.signedIn(t, "asha")
	asha.get("/apps")
	form := url.Values{"name": {"asha-own"}, "meta_app_id": {"77"}, "app_secret": {"secret-of-asha"}, "verify_token": {"verify-asha"}}
	asha.want(asha.post("/apps", form), http.StatusSeeOther, "/apps")
	if r := asha.post("/apps", form); r.status != http.StatusConflict || !strings.Contains(r.body, "in use") || strings.Contains(r.body, "secret-of-asha") {
		t.Errorf("the same name: want 409 without the secret, got %d %s", r.status, r.body)
	}

	r := asha.get("/apps")
	if !strings.Contains(r.body, st.origin+"/hooks/whatsapp/asha-own") || strings.Contains(r.body, "secret-of-asha") || strings.Contains(r.body, "verify-asha") {
		t.Errorf("want the webhook address and no secret: %s", r.body)
	}
	rotation := url.Values{"app_secret": {"another-secret"}, "verify_token": {"another-token"}, "keep": {"24"}}
	asha.want(asha.post("/apps/asha-own/rotate", rotation), http.StatusSeeOther, "/apps")
	if r := asha.get("/apps"); !strings.Contains(r.body, "Old and new secret both hold until") {
		t.Errorf("want the page to say until when: %s", r.body)
	}
	for _, keep := range []string{"0", "-1", "721", "x", "99999999999999999999", ""} {
		rotation.Set("keep", keep)
		if r := asha.post("/apps/asha-own/rotate", rotation); r.status != 422 || !strings.Contains(r.body, "up to 30 days") {
			t.Errorf("keep for %q hours: want 422, got %d", keep, r.status)
		}
	}

	rotation = url.Values{"app_secret": {"another-secret"}, "verify_token": {"another-token"}, "keep": {"24"}}
	ravi := st.signedIn(t, "ravi")
	if r := ravi.get("/apps"); strings.Contains(r.body, "asha-own") || !strings.Contains(r.body, "/hooks/whatsapp/demo") {
		t.Errorf("want the platform's app alone: %s", r.body)
	}
	for _, app := range []string{"asha-own", "demo"} {
		if r := ravi.post("/apps/"+app+"/rotate", rotation); r.status != http.StatusNotFound {
			t.Errorf("rotate %s: want 404, got %d", app, r.status)
		}
	}
}
