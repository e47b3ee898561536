// Package docs shows a developer what the API and the address for webhooks answer, from the document that the server itself serves.
package docs

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/api"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	pages "github.com/pehchan/pehchan/views/docs"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }

const base = "/api/v1"

// Page lists the calls.
func (s *Pages) Page(c *fiber.Ctx) error {
	p := pages.Docs{
		Frame: s.Frame(c, "docs.title"), BaseURL: s.Origin.Load().String() + base, About: api.About(), Problem: fields(api.Refusal()),
		HookURL: s.Origin.Load().String() + "/hooks/whatsapp/",
	}
	for _, call := range api.Calls() {
		p.Calls = append(p.Calls, s.view(call))
	}

	return s.Show(c, fiber.StatusOK, pages.DocsPage(p))
}

// CallPage shows one call.
func (s *Pages) CallPage(c *fiber.Ctx) error {
	for _, call := range api.Calls() {
		if call.ID == c.Params("call") {
			p := pages.CallDoc{Frame: s.Frame(c, "docs.title"), Call: s.view(call)}
			p.Frame.Title = call.Summary

			return s.Show(c, fiber.StatusOK, pages.CallPage(p))
		}
	}

	return tenants.ErrNotFound
}

func (s *Pages) view(call api.Call) pages.Call {
	v := pages.Call{
		ID: call.ID, Method: call.Method, Path: base + call.Path, Summary: call.Summary, About: call.About, Scope: call.Scope,
		Params: fields(call.Params), Body: fields(call.Body), Answer: answer(call.Answer), Curl: s.curl(call),
	}
	for _, e := range call.Errors {
		v.Errors = append(v.Errors, answer(e))
	}

	return v
}

func answer(a api.Answer) pages.Answer {
	return pages.Answer{Status: a.Status, About: a.About, Fields: fields(a.Fields)}
}

func fields(list []api.Field) []pages.Field {
	views := make([]pages.Field, len(list))
	for i, f := range list {
		views[i] = pages.Field{Name: f.Name, In: f.In, Type: f.Type, Needed: f.Needed, About: f.About}
	}

	return views
}

// samples are values of parameters with which a call can be tried: the phone is one of those that stand for nobody.
var samples = map[string]string{"phone": "919800000480", "keep": "KEEP_ID", "lose": "LOSE_ID"}

// curl is the call as it can be typed, with this platform's own address. A call none of whose parameters is needed is shown with the first.
func (s *Pages) curl(call api.Call) string {
	var lines []string
	if call.Scope != "" {
		lines = append(lines, `-H "Authorization: Bearer $PEHCHAN_KEY"`)
	}
	if call.Method != fiber.MethodGet {
		lines = append([]string{"-X " + call.Method}, lines...)
		lines = append(lines, `-H "Idempotency-Key: $(uuidgen)"`)
	}
	if call.Example != nil {
		lines = append(lines, `-H "Content-Type: application/json"`, "-d '"+string(call.Example)+"'")
	}
	query := url.Values{}
	for _, p := range call.Params {
		sample, known := samples[p.Name]
		if p.In == "query" && (p.Needed || known) {
			if !known {
				sample = strings.ToUpper(p.Name)
			}
			query.Set(p.Name, sample)
		}
	}
	address := s.Origin.Load().String() + base + strings.ReplaceAll(call.Path, "{id}", "ID")
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	lines = append(lines, `"`+address+`"`)

	return "curl " + strings.Join(lines, " \\\n  ")
}
