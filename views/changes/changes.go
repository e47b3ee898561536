// Package changes draws what changed in the world: the facts of the ledger, their news, and the weekly mail.
package changes

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Changes tells what changed in the world: every fact about the rollout as it
// was stated, newest first. It posts seq to /changes/read.
type Changes struct {
	Frame     layout.Frame
	Country   string   // of the filter; empty for everything
	Countries []string // that have facts of their own, or are the business's
	Topic     string   // of the filter
	Topics    []string
	Panel     []Fact // what holds in Country, or in the world: IDs, usernames, reservation, hidden phones
	Fresh     []Fact // what came since the reader last marked the page as read, at most ten
	FreshAll  int
	ReadTo    string // what the reader has before them, for the form
	Items     []Fact
	Next      string
	CanBrief  bool
}

func (p Changes) answer(ctx context.Context) string {
	if p.FreshAll == 0 {
		return i18n.T(ctx, "changes.none_new")
	}
	return i18n.N(ctx, "changes.new", p.FreshAll)
}

func (p Changes) address(country, topic string) string {
	q := url.Values{}
	if country != "" {
		q.Set("country", country)
	}
	if topic != "" {
		q.Set("topic", topic)
	}
	if len(q) == 0 {
		return "/changes"
	}
	return "/changes?" + q.Encode()
}

func (p Changes) countryChips(ctx context.Context) []components.Chip {
	chips := []components.Chip{{Label: i18n.T(ctx, "changes.everywhere"), Href: p.address("", p.Topic), Current: p.Country == ""}}
	countries := slices.Clone(p.Countries)
	slices.SortFunc(countries, func(a, b string) int { return strings.Compare(i18n.Country(ctx, a), i18n.Country(ctx, b)) })
	for _, c := range countries {
		chips = append(chips, components.Chip{Label: i18n.Country(ctx, c), Href: p.address(c, p.Topic), Current: p.Country == c})
	}
	return chips
}

func (p Changes) topicChips(ctx context.Context) []components.Chip {
	chips := []components.Chip{{Label: i18n.T(ctx, "changes.all"), Href: p.address(p.Country, ""), Current: p.Topic == ""}}
	for _, topic := range p.Topics {
		chips = append(chips, components.Chip{Label: i18n.T(ctx, "changes.topic_"+topic), Href: p.address(p.Country, topic), Current: p.Topic == topic})
	}
	return chips
}

func (p Changes) panelTitle(ctx context.Context) string {
	if p.Country == "" {
		return i18n.T(ctx, "changes.panel_world")
	}
	return i18n.T(ctx, "changes.panel", "country", i18n.Country(ctx, p.Country))
}
