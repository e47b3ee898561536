package server_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/pehchan/pehchan/tenants"
)

// hunt looks for phones in whatever form they may stand.
type hunt struct{ phones []string } // in digits, country code first

// forms of a phone are found as they stand, and without the country code.
func (h hunt) forms() (all []string) {
	for _, p := range h.phones {
		all = append(all, p)
		if len(p) >= 11 {
			all = append(all, p[len(p)-10:])
		}
	}
	slices.Sort(all)

	return slices.Compact(all)
}

// in answers with the phones that a text holds: in clear, spaced or punctuated, in any script's digits, escaped for HTML or an
// address, under base64 or in hex, one inside the other too.
func (h hunt) in(text string) (found []string) {
	forms := h.forms()
	seen := map[string]bool{}
	var look func(text string, depth int)
	look = func(text string, depth int) {
		if depth > 2 || len(text) < 7 {
			return
		}
		for _, plain := range readings(text) {
			for _, f := range forms {
				if !seen[f] && strings.Contains(plain, f) {
					seen[f] = true
					found = append(found, f)
				}
			}
		}
		for _, inner := range wrapped(text) {
			look(inner, depth+1)
		}
	}
	look(text, 0)
	slices.Sort(found)

	return found
}

// readings are a text as it stands, and with all that is not a letter or digit taken out, escaped and not.
func readings(text string) []string {
	out, dresses := []string{text}, []string{text, html.UnescapeString(text), unescape(text)}
	slices.Sort(dresses)
	for _, t := range slices.Compact(dresses) { // most texts have one
		out = append(out, strings.Map(func(r rune) rune {
			switch {
			case r <= unicode.MaxASCII: // nearly all there is, so it is told without a table
				if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
					return r
				}
				return -1
			case unicode.Is(unicode.Nd, r):
				return digitOf(r)
			case unicode.IsLetter(r):
				return r
			}
			return -1
		}, t))
	}

	return out
}

func digitOf(r rune) rune {
	if r <= unicode.MaxASCII {
		return r
	}
	for _, zero := range []rune{'٠', '۰', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦'} {
		if r >= zero && r <= zero+9 {
			return '0' + r - zero
		}
	}

	return r
}

func unescape(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}

	return plain
}

// runs are the stretches of a text that hold nothing but some characters, of a length and more. By hand, because an expression takes ten
// times as long, and all that the product stores and shows is read.
func runs(text string, of func(rune) bool, least int) []string {
	return slices.DeleteFunc(strings.FieldsFunc(text, func(r rune) bool { return !of(r) }), func(run string) bool { return len(run) < least })
}

func isHex(r rune) bool { return r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F' }

func isBase64(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '+' || r == '/' || r == '_' || r == '-'
}

var toStd = strings.NewReplacer("-", "+", "_", "/")

// wrapped is what lies under base64 or hex in a text, wherever in a run it begins.
func wrapped(text string) (inner []string) {
	for _, run := range runs(text, isBase64, 12) {
		run = toStd.Replace(run)
		for from := range min(4, len(run)) {
			part := run[from:]
			if len(part)%4 == 1 {
				part = part[:len(part)-1]
			}
			if plain, err := base64.RawStdEncoding.DecodeString(part); err == nil && digits(plain) {
				inner = append(inner, string(plain))
			}
		}
	}
	for _, run := range runs(text, isHex, 16) {
		for from := range 2 {
			part := run[from:]
			if plain, err := hex.DecodeString(part[:len(part)/2*2]); err == nil {
				inner = append(inner, string(plain))
			}
		}
	}

	return inner
}

// digits tells whether enough of them lie in bytes to be a phone.
func digits(b []byte) bool {
	n := 0
	for _, c := range b {
		if c >= '0' && c <= '9' {
			n++
		}
	}

	return n >= 7
}

// TestHunterFinds: the hunter sees a phone in every dress, else what it does not find proves nothing.
func TestHunterFinds(t *testing.T) {
	t.Parallel()
	const phone = "919800000101"
	h := hunt{[]string{phone}}
	wamid := "wamid." + base64.StdEncoding.EncodeToString([]byte("\x1d\x05\x13\x0c"+phone+"\x15\x02\x00"))
	for name, text := range map[string]string{
		"clear": "x" + phone + "y", "plus": "+91 98000 00101", "national": "098000-00101", "dots": "9.8.0.0.0.0.0.1.0.1", "script": "९८०००००१०१",
		"address": "/x?q=%2B91%2098000%2000101", "plus for space": "?q=98000+00101", "entities": "98000&nbsp;00101 &#43;91", "base64": base64.StdEncoding.EncodeToString([]byte("a" + phone)),
		"base64 for addresses": base64.RawURLEncoding.EncodeToString([]byte("?>~" + phone)), "wamid": wamid, "wamid in hex": hex.EncodeToString([]byte(wamid)),
		"bytea": `\x` + hex.EncodeToString([]byte(`{"from":"`+phone+`"}`)), "odd hex": "f" + hex.EncodeToString([]byte(phone)),
	} {
		if len(h.in(text)) == 0 {
			t.Errorf("%s: want the phone found in %q", name, text)
		}
	}
	for _, text := range []string{"", "IN.7704418820035512", "9800000102", "p:abcdefghijklmnopqrstuvwxyz"} {
		if found := h.in(text); len(found) > 0 {
			t.Errorf("%q: want nothing found, got %v", text, found)
		}
	}
}

// dump reads every table as a tenant and as the platform see them, row by row. except are tables with a condition for the rows that
// are not looked at.
func (in *inbox) dump(t *testing.T, except map[string]string, row func(table, text string)) {
	t.Helper()
	read := func(tx *tenants.Tx) error {
		var tables []string
		if err := tx.Select(&tables, `SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1`); err != nil {
			return fmt.Errorf("list tables: %w", err)
		}
		if len(tables) < 40 {
			t.Errorf("found %d tables, the walk is broken", len(tables))
		}
		for _, table := range tables {
			where := "true"
			if not := except[table]; not != "" {
				where = "NOT (" + not + ")"
			}
			var rows []string
			if err := tx.Select(&rows, `SELECT t::text FROM `+table+` t WHERE `+where); err != nil {
				return fmt.Errorf("dump %s: %w", table, err)
			}
			for _, text := range rows {
				row(table, text)
			}
		}

		return nil
	}
	if err := in.DB.As(context.Background(), in.tenant, read); err != nil {
		t.Fatal(err)
	}
	if err := in.DB.System(context.Background(), read); err != nil {
		t.Fatal(err)
	}
}

// linksIn are the addresses of our own that a page leads to, by whatever attribute.
func linksIn(body string) (links []string) {
	_, body, _ = strings.Cut(body, `="/`)
	for body != "" {
		var link string
		link, body, _ = strings.Cut(body, `"`)
		link, _, _ = strings.Cut(link, "#")
		links = append(links, "/"+html.UnescapeString(link))
		_, body, _ = strings.Cut(body, `="/`)
	}

	return links
}

// crawl gets every page that links lead to, from some on, and shows each answer.
func (b *browser) crawl(t *testing.T, from []string, most int, page func(path string, r answer)) (n int) {
	t.Helper()
	seen, queue := map[string]bool{}, slices.Clone(from)
	for len(queue) > 0 && n < most {
		path := queue[0]
		queue = queue[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		n++
		r := b.get(path)
		page(path, r)
		if r.location != "" && strings.HasPrefix(r.location, "/") {
			queue = append(queue, r.location)
		}
		for _, next := range linksIn(r.body) {
			switch {
			case strings.HasPrefix(next, "/static/"), strings.HasPrefix(next, "/events"), strings.HasPrefix(next, "/media"), next == "/logout":
			default:
				queue = append(queue, next)
			}
		}
	}

	return n
}
