package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/pehchan/pehchan/tenants/adoption"
)

func TestReachAndSegments(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "mark", "marketing")
	st.member(t, st.clinic, "dev", "developer")
	s := st.shop(t, st.clinic)
	s.adopters()
	mark := st.signedIn(t, "mark")
	mark.has(mark.get("/adoption/reach"), http.StatusOK, "For 6 of 6 customers a way to reach them is known; for 2 of them only the WhatsApp ID.", "No group is saved yet")
	for reach, want := range map[string]int{"both": 2, "id": 2, "phone": 2, "neither": 0} {
		if got := len(contactRow.FindAllString(mark.get("/contacts?reach="+reach).body, -1)); got != want {
			t.Errorf("%s: %d customers behind the figure, want %d", reach, got, want)
		}
	}

	mark.has(mark.get("/adoption/people?show=hidden&days=90"), http.StatusOK, "Save as a group", "save=%2Fadoption%2Fpeople%3Fdays%3D90%26show%3Dhidden")
	const list = "/adoption/people?days=90&show=hidden"
	mark.has(mark.get("/adoption/reach?save="+url.QueryEscape(list)), http.StatusOK, `value="/adoption/people?days=90&amp;show=hidden"`)
	for name, problem := range map[string]string{"": "1 to 80 characters", "a\x01b": "1 to 80 characters"} {
		mark.has(mark.post("/adoption/segments", url.Values{"name": {name}, "filter": {list}}), http.StatusUnprocessableEntity, problem, `data-testid="save"`)
	}
	mark.want(mark.post("/adoption/segments", url.Values{"name": {"Hidden, 3 months"}, "filter": {list}}), http.StatusSeeOther, "/adoption/reach")
	mark.has(mark.post("/adoption/segments", url.Values{"name": {"Hidden, 3 months"}, "filter": {list}}), http.StatusUnprocessableEntity, "There is a group of this name already")
	mark.has(mark.post("/adoption/segments", url.Values{"name": {"Elsewhere"}, "filter": {"https://evil.example/"}}), http.StatusUnprocessableEntity)

	r := mark.get("/adoption/reach")
	segment := segmentAt.FindString(r.body)
	mark.has(r, http.StatusOK, "Hidden, 3 months", "saved by mark")
	mark.want(mark.get(segment), http.StatusSeeOther, list)
	dev, ravi := st.signedIn(t, "dev"), st.signedIn(t, "ravi")
	dev.lacks(dev.get("/adoption/people"), "Save as a group")
	ravi.has(ravi.get(segment), http.StatusNotFound)
	ravi.has(ravi.post(segment+"/remove", nil), http.StatusNotFound)
	ravi.has(ravi.get("/adoption/reach"), http.StatusOK, "There are no customers yet", "No group is saved yet")

	asha := st.signedIn(t, "asha")
	asha.has(asha.get("/audit"), http.StatusOK, "Group of customers saved")
	asha.want(asha.post(segment+"/remove", nil), http.StatusSeeOther, "/adoption/reach")
	asha.has(asha.get("/adoption/reach"), http.StatusOK, "No group is saved yet")
	asha.post("/language", url.Values{"lang": {"hi"}, "next": {"/home"}})
	asha.has(asha.get("/adoption/reach"), http.StatusOK, "6 में से 6 ग्राहकों तक")
}

var (
	contactRow = regexp.MustCompile(`data-testid="contact-[0-9a-f-]{36}"`)
	segmentAt  = regexp.MustCompile(`/adoption/segments/[0-9a-f-]{36}`)
)

func TestOnlyListsOfCustomersAreKept(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"/contacts?reach=id":                              "/contacts?reach=id",
		"/contacts?reach=id&cursor=x&q=9800000101":        "/contacts?reach=id",
		"/adoption/people?show=id&days=7&week=2026-01-05": "/adoption/people?days=7&show=id",
		"/adoption/people":                                "/adoption/people",
		"/audit":                                          "",
		"//evil.example/contacts":                         "",
		"https://evil.example/contacts":                   "",
		"/contacts/../audit":                              "",
		"":                                                "",
	} {
		if got, ok := adoption.SegmentFilter(address); got != want || ok != (want != "") {
			t.Errorf("%q: got %q %v, want %q", address, got, ok, want)
		}
	}
}
