// Package docs draws the documentation of the API.
package docs

import (
	"context"

	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Docs lists the calls of the API and what the address for webhooks answers. What is said of calls is in English, as in the document
// that it comes from.
type Docs struct {
	Frame   layout.Frame
	BaseURL string
	About   string // what holds for all calls
	Calls   []Call
	Problem []Field // of a refusal
	HookURL string  // the address for webhooks, up to the name of the app
}

// CallDoc is one call.
type CallDoc struct {
	Frame layout.Frame
	Call  Call
}

// Call is one call of the API.
type Call struct {
	ID      string
	Method  string
	Path    string
	Summary string
	About   string
	Scope   string // that the key needs: read, write, or "" for no key
	Params  []Field
	Body    []Field
	Answer  Answer
	Errors  []Answer
	Curl    string
}

// Answer is what a call answers.
type Answer struct {
	Status string
	About  string
	Fields []Field
}

// Field is a parameter, or a field of a body or an answer.
type Field struct {
	Name   string
	In     string
	Type   string
	Needed bool
	About  string
}

func (c Call) href() string { return "/dev/docs/" + c.ID }

// hookAnswers are the statuses of the address for webhooks; docs.hook_<status> says what each means.
var hookAnswers = []string{"200", "401", "404", "413", "415", "503"}

// scope says what a key needs for a call.
func scope(ctx context.Context, c Call) string {
	if c.Scope == "" {
		return i18n.T(ctx, "docs.no_key")
	}
	return i18n.T(ctx, "docs.key_"+c.Scope)
}
