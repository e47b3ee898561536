package web

import (
	"context"
	"regexp"
	"time"

	"github.com/pehchan/pehchan/tenants/facts"
	changespages "github.com/pehchan/pehchan/views/changes"
	"github.com/pehchan/pehchan/views/i18n"
)

// FactView is a fact of the ledger in the reader's language, stale or not at now.
func FactView(ctx context.Context, f facts.Fact, now time.Time) changespages.Fact {
	lang := i18n.Lang(ctx)
	view := changespages.Fact{
		Key: f.Key, Topic: f.Topic, Country: f.Country, Title: f.Title(lang), Text: f.Text(lang), Doubt: f.Doubt(lang), Kind: f.Kind, Value: f.Value,
		Confidence: f.Confidence, Verified: f.VerifiedOn, Expires: OrZero(f.ExpiresOn), Dated: f.Dated, Stale: f.Stale(now), Version: f.Version,
		By: f.By, At: f.At, News: f.News,
	}
	for _, source := range f.Sources {
		view.Sources = append(view.Sources, changespages.Source{Name: source.Name, URL: source.URL})
	}

	return view
}

// EntryView is a fact as news: read up to a number of the ledger, or not yet.
func EntryView(ctx context.Context, e facts.Entry, read int64, now time.Time) changespages.Fact {
	view := FactView(ctx, e.Fact, now)
	view.Was, view.Replaced, view.New = e.Was(i18n.Lang(ctx)), e.Replaced, e.Seq > read

	return view
}

// CountryCode is how a country is named: ISO 3166-1 alpha-2.
var CountryCode = regexp.MustCompile(`^[A-Z]{2}$`)
