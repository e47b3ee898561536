package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestInboxForEachRole(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "arjun", "auditor")
	s := st.shop(t, st.clinic)
	s.writes(28, "919800000480", "", "Rajesh <b>Kumar", "is it ready? call 98000 00480 <script>alert(1)</script>\nplease")
	s.writes(29, "", "IN.77044188200355", "Savitri", "नमस्ते")
	rajesh := s.whois(whatsapp.KindPhone, "919800000480").ID

	auditor := st.signedIn(t, "arjun")
	r := auditor.get("/inbox")
	auditor.has(r, http.StatusOK, "Rajesh &lt;b&gt;Kumar", "2 people wait", `data-testid="unread"`, "••0480")
	auditor.lacks(r, "9800000480", "98000 00480", "<script>alert")
	talk := auditor.get("/inbox/" + rajesh.String())
	auditor.has(talk, http.StatusOK, "is it ready?", "&lt;script&gt;alert(1)")
	auditor.lacks(talk, "98000 00480", "9800000480", "<script>alert", `data-testid="done"`)
	if r := auditor.get("/inbox?state=unread"); !strings.Contains(r.body, "Rajesh") {
		t.Error("a reader who cannot answer has made it read for those who can")
	}

	agent := st.signedIn(t, "meera")
	agent.has(agent.get("/inbox/"+rajesh.String()), http.StatusOK, `data-testid="done"`)
	r = agent.get("/inbox?state=unread")
	agent.has(r, http.StatusOK, "Savitri")
	agent.lacks(r, "Rajesh")
	agent.has(agent.get("/inbox?q=rajesh"), http.StatusOK, "Rajesh")
	agent.has(agent.get("/inbox?q=%40nobody"), http.StatusOK, `data-testid="search-contacts"`)
	agent.has(agent.get("/inbox?number="+s.number.String()+"&who=nobody"), http.StatusOK, "Rajesh", "Savitri")

	if r := agent.post("/inbox/"+rajesh.String()+"/done", url.Values{"done": {"yes"}}); r.status != http.StatusSeeOther {
		t.Errorf("done: %d %s", r.status, r.body)
	}
	agent.lacks(agent.get("/inbox?state=waiting"), "Rajesh")
	agent.post("/inbox/"+rajesh.String()+"/done", url.Values{"done": {"no"}})
	agent.has(agent.get("/inbox?state=waiting"), http.StatusOK, "Rajesh")
	agent.has(agent.get("/audit"), http.StatusOK, "No answer needed")
	agent.has(agent.get("/inbox/"+rajesh.String()+"/live"), http.StatusOK, `id="talk"`, "is it ready?")
}

func TestTalkShowsEveryKindSafely(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "maya", "marketing")
	s := st.shop(t, st.clinic)
	const bsuid = "IN.77044188200355"
	send := func(kind string, content any) {
		s.sends(29, "", bsuid, "Savitri", map[string]any{"type": kind, kind: content})
	}
	send("image", map[string]any{"id": "11", "mime_type": "image/jpeg", "caption": "my <i>receipt"})
	send("document", map[string]any{"id": "12", "mime_type": "text/html", "filename": "bill<svg>.pdf"})
	send("audio", map[string]any{"id": "13", "mime_type": "audio/ogg; codecs=opus"})
	send("video", map[string]any{"id": "14", "mime_type": "video/mp4"})
	send("location", map[string]any{"latitude": 23.25, "longitude": 77.5, "name": "Market"})
	send("location", map[string]any{"latitude": `1" onclick="x`, "longitude": 999})
	send("contacts", []any{map[string]any{"origin": "other", "name": map[string]any{"formatted_name": "Papa"}, "phones": []any{map[string]any{"phone": "+91 98000 00555"}}}})
	send("something_new", map[string]any{"x": 1})
	s.sends(1, "", bsuid, "Savitri", map[string]any{"type": "image", "image": map[string]any{"id": "15", "mime_type": "image/jpeg"}})
	savitri := s.whois(whatsapp.KindBSUID, bsuid).ID.String()

	agent := st.signedIn(t, "meera")
	r := agent.get("/inbox/" + savitri)
	agent.has(r, http.StatusOK, `data-testid="picture"`, "my &lt;i&gt;receipt", "bill&lt;svg&gt;.pdf", `data-testid="sound"`, "Watch the video", `href="geo:23.250000,77.500000"`,
		"Papa", "••0555", "A kind of message we do not know yet", "WhatsApp keeps files for 7 days", `class="day"`)
	agent.lacks(r, "<i>receipt", "<svg>.pdf", "geo:1", "98000 00555")
	if n := strings.Count(r.body, "/media/"); n != 5 { // the picture twice: to see and to open
		t.Errorf("%d addresses of files, want 5: what is gone has none", n)
	}

	// Who reads conversations has their files on the contact's page too, phones masked.
	maya := st.signedIn(t, "maya")
	r = maya.get("/contacts/" + savitri)
	maya.has(r, http.StatusOK, "Picture", "my &lt;i&gt;receipt", "/media/")
	maya.lacks(r, "98000 00555")
}

func TestTalkPagesBack(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	for i := range 45 {
		s.writes(20+i/10, "919800000480", "", "Rajesh", fmt.Sprintf("message-%02d.", i))
	}
	rajesh := s.whois(whatsapp.KindPhone, "919800000480").ID.String()
	owner := st.signedIn(t, "asha")
	r := owner.get("/inbox/" + rajesh)
	owner.has(r, http.StatusOK, "message-05.", "message-44.", `data-testid="older"`)
	owner.lacks(r, "message-04.")
	if strings.Index(r.body, "message-05.") > strings.Index(r.body, "message-44.") {
		t.Error("the newest stands first, want it last")
	}
	_, rest, _ := strings.Cut(r.body, `href="/inbox/`+rajesh+`?before=`)
	before, _, _ := strings.Cut(rest, `"`)
	r = owner.get("/inbox/" + rajesh + "?before=" + before)
	owner.has(r, http.StatusOK, "message-00.", "message-04.")
	owner.lacks(r, "message-05.", "data-live")
	if r := owner.get("/inbox/" + rajesh + "?before=nonsense"); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a cursor that is none: %d", r.status)
	}
}

func TestTalkOfMergedAndOfOthers(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(28, "919800000480", "", "Rajesh", "hello")
	s.writes(29, "", "IN.77044188200355", "Raju", "hello again")
	keep, lose := s.whois(whatsapp.KindPhone, "919800000480").ID, s.whois(whatsapp.KindBSUID, "IN.77044188200355").ID
	s.as(func(tx *tenants.Tx) error {
		_, err := identity.Merge(context.Background(), tx, tenants.SystemActor, identity.MergeInput{Keep: keep, Lose: lose, MayRisk: true, Reason: "same"})
		return err
	})
	owner := st.signedIn(t, "asha")
	if r := owner.get("/inbox/" + lose.String()); r.status != http.StatusSeeOther || r.location != "/inbox/"+keep.String()+"?merged=1" {
		t.Errorf("merged away: %d to %q", r.status, r.location)
	}
	owner.has(owner.get("/inbox/"+keep.String()), http.StatusOK, "hello again", "IN.7704…0355", "98000 00480")

	ravi := st.signedIn(t, "ravi")
	for _, path := range []string{"/inbox/" + keep.String(), "/inbox/" + keep.String() + "/live", "/inbox/" + uuid.NewString(), "/inbox/x"} {
		if r := ravi.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s of another business: %d", path, r.status)
		}
	}
	if r := ravi.post("/inbox/"+keep.String()+"/done", url.Values{}); r.status != http.StatusNotFound {
		t.Errorf("done with a conversation of another business: %d", r.status)
	}
	ravi.lacks(ravi.get("/inbox"), "Rajesh", "hello")
}

func TestWhatWasTakenBackIsNowhere(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(29, "919800000480", "", "Rajesh", "my secret") // w-1
	s.sends(29, "919800000480", "", "Rajesh", map[string]any{"type": "text", "text": map[string]any{"body": "about that"}, "context": map[string]any{"id": "w-1"}})
	s.writes(29, "919800000481", "", "Sunita", "another secret") // w-3
	owner := st.signedIn(t, "asha")
	path := "/inbox/" + s.whois(whatsapp.KindPhone, "919800000480").ID.String()
	if r := owner.get(path); strings.Count(r.body, "my secret") != 2 {
		t.Errorf("the page says it %d times, want it and its quote", strings.Count(r.body, "my secret"))
	}
	owner.has(owner.get("/inbox"), http.StatusOK, "another secret")

	s.sends(29, "919800000480", "", "Rajesh", map[string]any{"type": "revoke", "revoke": map[string]any{"original_message_id": "w-1"}})
	s.sends(29, "919800000481", "", "Sunita", map[string]any{"type": "revoke", "revoke": map[string]any{"original_message_id": "w-3"}})
	owner.lacks(owner.get(path), "my secret")
	owner.lacks(owner.get("/inbox"), "another secret")
}
