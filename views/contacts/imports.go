package contacts

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Imports is where a list of customers is uploaded, with the lists so far. The form posts to /contacts/import as multipart, with
// its file in the field "file".
type Imports struct {
	Frame layout.Frame
	Now   time.Time
	Items []ImportItem
	Next  string
	Form  components.Filled
	MaxMB int // of a file
}

// ImportItem is one list.
type ImportItem struct {
	ID    string
	File  string
	State string // mapping, checking, checked, running, done, undoing, undone, stopped, failed
	By    string
	At    time.Time
	Rows  int // of customers
	New   int
}

func (i ImportItem) href() string { return "/contacts/import/" + i.ID }

func (i ImportItem) tone() components.Tone {
	switch i.State {
	case "done":
		return components.Good
	case "failed":
		return components.Bad
	case "mapping", "checked", "stopped":
		return components.Needs
	case "undone":
		return components.Neutral
	}
	return components.Info
}

// Import is one list on its way. Its forms post to /columns (column-0…, headed, country, replace, scope), /run, /stop, /undo
// and /discard under its own address.
type Import struct {
	Frame     layout.Frame
	Now       time.Time
	Item      ImportItem
	Done      int // rows the present step is through
	Changed   int
	Same      int
	Conflict  int
	Skipped   int
	Undone    int
	Kept      int
	Columns   []ImportColumn
	Headed    bool
	Replace   bool
	Country   string
	Countries []string // ISO 3166 alpha-2
	Scopes    []components.Option
	Scope     string
	Reasons   []ImportReason
	Problems  []ImportProblem // the first few
	Mapping   bool            // the columns are being named, for the first time or again
	Undoing   bool            // asked whether to take the list back
	Form      components.Filled
}

// ImportColumn is a column of the list as it came.
type ImportColumn struct {
	Title   string
	Letter  string
	Use     string // "", name, phone, bsuid, external, username
	Samples []string
}

// ImportReason counts the rows that were left out, or stayed, for one reason.
type ImportReason struct {
	Why  string
	Rows int
}

// ImportProblem is one such row.
type ImportProblem struct {
	Row   int
	Why   string
	Other int // row that names the same customer, 0 for none
	Text  string
	Href  string // of the contact it is about
}

func (p Import) working() bool {
	return p.Item.State == "checking" || p.Item.State == "running" || p.Item.State == "undoing"
}

func (p Import) answer(ctx context.Context) string {
	if p.Mapping {
		return i18n.T(ctx, "imports.answer_mapping")
	}
	return i18n.T(ctx, "imports.answer_"+p.Item.State)
}

func (p Import) progress(ctx context.Context) string {
	return i18n.T(ctx, "imports.progress", "done", p.Done, "total", p.Item.Rows)
}

func (p Import) uses(ctx context.Context) []components.Option {
	options := []components.Option{{Value: "", Label: i18n.T(ctx, "imports.use_nothing")}}
	for _, use := range []string{"name", "phone", "bsuid", "external", "username"} {
		options = append(options, components.Option{Value: use, Label: i18n.T(ctx, "imports.use_"+use)})
	}
	return options
}

func (p Import) countries(ctx context.Context) []components.Option {
	options := make([]components.Option, len(p.Countries))
	for i, c := range p.Countries {
		options[i] = components.Option{Value: c, Label: c}
		if key := "imports.country_" + c; i18n.Known(key) {
			options[i].Label = i18n.T(ctx, key)
		}
	}
	return options
}

func (c ImportColumn) label(ctx context.Context) string {
	if c.Title == "" {
		return i18n.T(ctx, "imports.column", "letter", c.Letter)
	}
	return c.Title
}

func columnField(i int) string { return "column-" + strconv.Itoa(i) }

func (r ImportReason) text(ctx context.Context) string { return i18n.T(ctx, "imports.why_"+r.Why) }

func (p ImportProblem) text(ctx context.Context) string {
	if p.Other > 0 {
		return i18n.T(ctx, "imports.why_twice_of", "row", p.Other)
	}
	return i18n.T(ctx, "imports.why_"+p.Why)
}

// Export asks which contacts are given out, and what for. It posts to /contacts/export (purpose, q, reach) and is answered with a
// file.
type Export struct {
	Frame layout.Frame
	Query string
	Reach string // both, id, phone or empty for all
	Clear bool   // phones are written in clear
	Form  components.Filled
}

func (p Export) which(ctx context.Context) string {
	switch {
	case p.Query != "":
		return i18n.T(ctx, "imports.export_found", "query", p.Query)
	case p.Reach != "":
		return i18n.T(ctx, "imports.export_reach", "reach", i18n.T(ctx, "contacts.reach_"+p.Reach))
	}
	return i18n.T(ctx, "imports.export_all")
}

// problems are what was left out when the list was taken in, or what has stayed when it was taken back.
type problems struct {
	kind    string // out or stayed
	reasons []ImportReason
	rows    []ImportProblem
}

func (p Import) problems() []problems {
	var all []problems
	for _, kind := range []string{"out", "stayed"} {
		of := problems{kind: kind}
		for _, r := range p.Reasons {
			if stayed(r.Why) == (kind == "stayed") {
				of.reasons = append(of.reasons, r)
			}
		}
		for _, row := range p.Problems {
			if stayed(row.Why) == (kind == "stayed") {
				of.rows = append(of.rows, row)
			}
		}
		if len(of.reasons) > 0 {
			all = append(all, of)
		}
	}
	return all
}

func (p problems) testID() string {
	if p.kind == "stayed" {
		return "stayed"
	}
	return "problems"
}

func stayed(why string) bool { return strings.HasPrefix(why, "stayed_") }
