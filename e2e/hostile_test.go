package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// hostileTexts are the texts of testdata/hostile.txt, each with its number in it.
func hostileTexts(t *testing.T) (texts []string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "hostile.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if quoted, ok := strings.CutPrefix(line, "go:"); ok {
			if line, err = strconv.Unquote(quoted); err != nil {
				t.Fatalf("hostile.txt, line %d: %v", i+1, err)
			}
		}
		texts = append(texts, strings.ReplaceAll(line, "%d", strconv.Itoa(i)))
	}
	if len(texts) < 200 {
		t.Fatalf("%d hostile texts, want 200", len(texts))
	}

	return texts
}

// bundles are the texts a few at a time, none longer than most bytes.
func bundles(texts []string, glue string, most int) (together []string) {
	for _, text := range texts {
		last := len(together) - 1
		if last < 0 || len(together[last])+len(glue)+len(text) > most {
			together = append(together, text)
		} else {
			together[last] += glue + text
		}
	}

	return together
}

// planted looks for what hostile texts would have made of a page: elements and attributes that no page of ours has, and names that are not
// kept apart from the words around them. It also says how many of the texts stand on the page.
const planted = `(() => {
	const wrong = [];
	for (const e of document.querySelectorAll("*")) {
		if (e.matches("script:not([src^='/static/']):not([nonce]), iframe, object, embed, base, math, template [onload], [href^='javascript:' i], [src^='data:text' i], [formaction], meta[http-equiv=refresh i]"))
			wrong.push(e.outerHTML.slice(0, 80));
		for (const a of e.attributes)
			if (/^on/.test(a.name) || /^(src|href|action|hx-|data-hx-)/.test(a.name) && /evil\d/.test(decodeURIComponent(a.value.replace(/%(?![0-9a-f]{2})/gi, "")).split("?")[0])) wrong.push(e.tagName + " " + a.name + "=" + a.value.slice(0, 60));
	}
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let met = 0;
	while (texts.nextNode()) {
		met += (texts.currentNode.data.match(/alert\(\d|evil\d/g) ?? []).length;
		if (/[\u202a-\u202e\u2066-\u2069]/.test(texts.currentNode.data) && !texts.currentNode.parentElement.closest("bdi, [dir=auto], option, pre, code, textarea, script"))
			wrong.push("not apart: " + texts.currentNode.parentElement.outerHTML.slice(0, 120));
	}
	return {Wrong: wrong, Met: met, Sticks: document.documentElement.scrollWidth > document.documentElement.clientWidth};
})()`

// Whatever customers, colleagues and lists call themselves and say is text: nothing of it runs, asks for anything, or is more than text.
func TestHostileTextInTheBrowser(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	texts := hostileTexts(t)
	contacts := st.hostile(t, texts)

	b := st.tab(t, phone)
	if err := chromedp.Listen(b.ctx, func(event any) {
		switch event := event.(type) {
		case *cdp.EventJavascriptDialogOpening:
			b.complain("a dialog: " + event.Message)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(event.Request.URL, st.url+"/") && !strings.HasPrefix(event.Request.URL, "data:image/") { // the browser's own signs in fields
				b.complain("asked for " + event.Request.URL)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.signIn("Asha")

	met := 0
	for _, path := range []string{
		"/home", "/resolve", "/resolve/next", "/contacts", "/contacts?q=" + url.QueryEscape("<script>"), "/contacts/" + contacts[0], "/inbox", "/inbox?q=" + url.QueryEscape(texts[0]),
		"/inbox/" + contacts[0], "/merges/preview?keep=" + contacts[0] + "&lose=" + contacts[1], "/contacts/import/" + contacts[2], "/team", "/audit",
	} {
		b.open(path)
		f := eval[struct {
			Wrong  []string
			Met    int
			Sticks bool
		}](b, planted)
		if len(f.Wrong) > 0 || f.Sticks {
			t.Errorf("%s: sticks out %t, %q", path, f.Sticks, f.Wrong)
		}
		if f.Met == 0 {
			t.Errorf("%s shows none of the texts", path)
		}
		met += f.Met
	}
	if met < 600 {
		t.Errorf("the texts were met %d times, want more of them shown", met)
	}
}

// hostile writes the texts wherever people write. It returns a contact who wrote all of them, another, and a list.
func (st *site) hostile(t *testing.T, texts []string) [3]string {
	t.Helper()
	n := st.number(t, 0)
	var people, messages []any
	for i, name := range bundles(texts, " ", 180) {
		bsuid := fmt.Sprintf("IN.66%014d", i)
		people = append(people, map[string]any{"profile": map[string]any{"name": name, "username": name}, "user_id": bsuid})
		messages = append(messages, map[string]any{"from_user_id": bsuid, "id": fmt.Sprint("wamid.n", i), "timestamp": fmt.Sprint(time.Now().Unix() - 3600 + int64(i)), "type": "text", "text": map[string]any{"body": name}})
	}
	said := func(id int, kind string, content any) {
		messages = append(messages, map[string]any{"from_user_id": "IN.6600000000000000", "id": fmt.Sprint("wamid.", kind, id), "timestamp": fmt.Sprint(time.Now().Unix() - 600 + int64(id)), "type": kind, kind: content})
	}
	for i, words := range bundles(texts, "\n", 1500) {
		said(i, "text", map[string]any{"body": words})
	}
	for i, words := range texts[:8] {
		said(i, "document", map[string]any{"id": "1", "mime_type": "text/html", "filename": words, "caption": words})
		said(i, "location", map[string]any{"latitude": 1, "longitude": 1, "name": words, "address": words})
		said(i, "button", map[string]any{"text": words, "payload": words})
		said(i, "contacts", []any{map[string]any{"name": map[string]any{"formatted_name": words}, "phones": []any{map[string]any{"phone": words}}}})
	}
	st.deliver(t, webhookOf(t, n, people, messages))

	var found [3]string
	everything := strings.Join(texts, "\n")
	st.as(t, st.clinic, func(tx *tenants.Tx) error {
		var ids []string
		if err := tx.Select(&ids, `
			SELECT i.contact_id FROM identities i JOIN identifiers d ON d.tenant_id = i.tenant_id AND d.id = i.anchor_id
			WHERE i.tenant_id = $1 AND i.contact_id IS NOT NULL ORDER BY d.value LIMIT 2`, tx.Tenant); err != nil {
			return err
		}
		found[0], found[1] = ids[0], ids[1]
		if _, err := tx.Exec(`UPDATE contacts SET notes = $2 WHERE tenant_id = $1 AND id = $3`, tx.Tenant, strings.ReplaceAll(everything, "\x00", ""), found[0]); err != nil {
			return err
		}
		return nil
	})
	found[2] = st.checkedList(t, texts)
	for i, name := range []string{texts[0], texts[20]} {
		if _, err := access.AddMember(t.Context(), st.DB, st.clinic.ID, byTest, access.NewPerson{Email: fmt.Sprintf("h%d@pehchan.example", i), Name: name, Password: password}, access.Lead); err != nil {
			t.Fatal(err)
		}
	}
	err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE tenants SET name = $2 WHERE id = $1`, st.clinic.ID, texts[0]+texts[len(texts)-10])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return found
}

// checkedList is a list of hostile texts that has been looked through: its page tells what is wrong with it.
func (st *site) checkedList(t *testing.T, texts []string) string {
	t.Helper()
	defer st.takeLists(t)()
	var list imports.Import
	st.as(t, st.clinic, func(tx *tenants.Tx) (err error) {
		list, err = imports.Start(t.Context(), tx, st.meera, texts[1], strings.NewReader("Name,Phone,"+csvCell(texts[2])+"\n"+hostileRows(texts)))
		return err
	})
	for _, state := range []string{imports.Unmapped, imports.Checked} {
		until(t, "the list is "+state, func() bool {
			st.as(t, st.clinic, func(tx *tenants.Tx) (err error) {
				list, err = imports.Get(t.Context(), tx, list.ID)
				return err
			})
			return list.State == state
		})
		if state == imports.Unmapped {
			st.as(t, st.clinic, func(tx *tenants.Tx) error { return imports.Map(t.Context(), tx, st.meera, list.ID, list.Mapping, "") })
		}
	}

	return list.ID.String()
}

func csvCell(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }

func hostileRows(texts []string) string {
	var rows strings.Builder
	for i, text := range texts {
		number := fmt.Sprintf("98123%05d", i)
		if i%3 == 0 { // a row with a problem
			number = csvCell(text)
		}
		if !strings.ContainsRune(text, 0) {
			fmt.Fprintf(&rows, "%s,%s,%s\n", csvCell(text), number, csvCell(text))
		}
	}

	return rows.String()
}

// webhookOf is one delivery to a number.
func webhookOf(t *testing.T, n sandbox.Number, people, messages []any) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": n.WABAID, "changes": []any{map[string]any{"field": "messages", "value": map[string]any{
		"messaging_product": "whatsapp", "metadata": map[string]any{"display_phone_number": n.DisplayPhone, "phone_number_id": n.PhoneNumberID}, "contacts": people, "messages": messages,
	}}}}}})
	if err != nil {
		t.Fatal(err)
	}

	return body
}
