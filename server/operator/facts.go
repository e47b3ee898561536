package operator

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/operator"
)

// FactsPage lists the ledger, what needs checking longest first.
func (s *Pages) FactsPage(c *fiber.Ctx) error {
	ctx, now := c.UserContext(), time.Now()
	p := pages.Facts{Frame: s.Frame(c, "facts.title"), Topic: c.Query("topic"), Topics: facts.Topics, CanWrite: web.Member(c).Can("op:write")}
	if p.Topic != "" && !slices.Contains(facts.Topics, p.Topic) {
		return tenants.ErrNotFound
	}
	list, err := facts.Ledger(ctx, s.DB)
	if err != nil {
		return err
	}

	slices.SortStableFunc(list, func(a, b facts.Fact) int {
		return cmp.Or(web.Rank(!a.Stale(now))-web.Rank(!b.Stale(now)), a.VerifiedOn.Compare(b.VerifiedOn), strings.Compare(a.Key, b.Key))
	})
	after := c.Query("after") == ""
	for _, f := range list {
		if f.Stale(now) {
			p.Stale++
		}
		switch {
		case p.Topic != "" && f.Topic != p.Topic:
		case !after:
			after = f.Key == c.Query("after")
		case len(p.Items) == opPageSize/2:
			p.Next = web.OpFactsPath + "?" + url.Values{"topic": {p.Topic}, "after": {p.Items[len(p.Items)-1].Key}}.Encode()
		default:
			p.Items = append(p.Items, web.FactView(ctx, f, now))
		}
	}
	if !after {
		return tenants.ErrNotFound
	}

	return s.Show(c, fiber.StatusOK, pages.FactsPage(p))
}

func (s *Pages) FactPage(c *fiber.Ctx) error {
	return s.showFact(c, fiber.StatusOK, c.Params("key"), pages.Fact{})
}

func (s *Pages) NewFactPage(c *fiber.Ctx) error {
	return s.showFact(c, fiber.StatusOK, "", pages.Fact{})
}

// showFact shows a fact, or with no key the form for a new one. p holds a form that came back, or what it would do.
func (s *Pages) showFact(c *fiber.Ctx, status int, key string, p pages.Fact) error {
	ctx, now := c.UserContext(), time.Now()
	p.Topics, p.Aspects, p.Kinds, p.Confidences = facts.Topics, facts.Aspects, facts.Kinds, facts.Confidences
	p.CanWrite, p.Today, p.Action = web.Member(c).Can("op:write"), now.UTC().Format(time.DateOnly), web.OpFactsPath
	if key != "" {
		p.Action += "/" + key
		history, err := facts.Versions(ctx, s.DB, key)
		if err != nil {
			return err
		}
		p.Fact = web.FactView(ctx, history[0], now)
		for _, f := range history {
			p.History = append(p.History, web.FactView(ctx, f, now))
		}
		if p.Form.Values == nil {
			p.Form.Values = factForm(history[0])
		}
	} else if p.Form.Values == nil {
		p.Form.Values = map[string]string{"version": "0", "topic": facts.Rollout, "kind": facts.KindText, "verified_on": p.Today}
	}
	p.Frame = s.Frame(c, "facts.title")
	p.Frame.Path = p.Action
	if key == "" {
		p.Frame.Path = web.OpFactsPath + "/new"
	}

	return s.Show(c, status, pages.FactPage(p))
}

// factForm is a fact as its form shows it.
func factForm(f facts.Fact) map[string]string {
	var sources []string
	for _, source := range f.Sources {
		sources = append(sources, strings.TrimSpace(source.Name+" "+source.URL))
	}
	form := map[string]string{
		"version": strconv.Itoa(f.Version), "key": f.Key, "topic": f.Topic, "country": f.Country, "aspect": f.Aspect, "kind": f.Kind, "value": f.Value,
		"title_en": f.TitleEN, "title_hi": f.TitleHI, "text_en": f.TextEN, "text_hi": f.TextHI, "doubt_en": f.DoubtEN, "doubt_hi": f.DoubtHI,
		"sources": strings.Join(sources, "\n"), "confidence": f.Confidence, "verified_on": f.VerifiedOn.Format(time.DateOnly),
	}
	if f.ExpiresOn != nil {
		form["expires_on"] = f.ExpiresOn.Format(time.DateOnly)
	}

	return form
}

var factFields = []string{
	"version", "key", "topic", "country", "aspect", "kind", "value", "title_en", "title_hi", "text_en", "text_hi", "doubt_en", "doubt_hi", "sources",
	"confidence", "verified_on", "expires_on",
}

// typedFact reads the form of a fact.
func typedFact(c *fiber.Ctx, key string) (facts.Change, error) {
	in := facts.Change{Key: key, Content: facts.Content{
		Topic: web.Field(c, "topic"), Country: strings.ToUpper(web.Field(c, "country")), Aspect: web.Field(c, "aspect"), Kind: web.Field(c, "kind"), Value: web.Field(c, "value"),
		TitleEN: web.Field(c, "title_en"), TitleHI: web.Field(c, "title_hi"), TextEN: web.Field(c, "text_en"), TextHI: web.Field(c, "text_hi"),
		DoubtEN: web.Field(c, "doubt_en"), DoubtHI: web.Field(c, "doubt_hi"), Confidence: web.Field(c, "confidence"), Sources: typedSources(web.Field(c, "sources")),
	}}
	var err error
	if in.Version, err = strconv.Atoi(web.Field(c, "version")); err != nil {
		return in, &tenants.Conflict{Code: "fact_changed"}
	}
	in.VerifiedOn, in.ExpiresOn, err = typedDays(c)

	return in, err
}

// typedDays reads when what is written was verified, and when it has to be verified again, if ever.
func typedDays(c *fiber.Ctx) (verified time.Time, expires *time.Time, err error) {
	if verified, err = time.Parse(time.DateOnly, web.Field(c, "verified_on")); err != nil {
		return verified, nil, &tenants.Invalid{Field: "verified_on", Key: "day"}
	}
	if typed := web.Field(c, "expires_on"); typed != "" {
		day, err := time.Parse(time.DateOnly, typed)
		if err != nil {
			return verified, nil, &tenants.Invalid{Field: "expires_on", Key: "day"}
		}
		expires = &day
	}

	return verified, expires, nil
}

// typedSources reads one source a line: a name, and an address where the last word is one.
func typedSources(typed string) facts.Sources {
	var list facts.Sources
	for line := range strings.Lines(typed) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		source := facts.Source{Name: line}
		if at := strings.LastIndexByte(line, ' '); at >= 0 && strings.Contains(line[at:], "://") {
			source = facts.Source{Name: strings.TrimSpace(line[:at]), URL: line[at+1:]}
		} else if strings.Contains(line, "://") {
			source = facts.Source{URL: line} // refused: a source has a name
		}
		list = append(list, source)
	}

	return list
}

func (s *Pages) AddFact(c *fiber.Ctx) error { return s.changeFact(c, "", web.Field(c, "key")) }

func (s *Pages) EditFact(c *fiber.Ctx) error {
	return s.changeFact(c, c.Params("key"), c.Params("key"))
}

// changeFact shows what a change would do, makes it, or notes that the source was read today. page is the fact whose page this is, empty
// for a new one's.
func (s *Pages) changeFact(c *fiber.Ctx, page, key string) error {
	ctx, now := c.UserContext(), time.Now()
	do := web.Field(c, "do")
	if do == "verify" && page != "" {
		version, err := strconv.Atoi(web.Field(c, "version"))
		if err != nil {
			return &tenants.Conflict{Code: "fact_changed"}
		}
		if _, err := facts.Verify(ctx, s.DB, web.Member(c).Actor, key, version, now); err != nil {
			if form, ok := web.Refilled(c, err); ok {
				form.Values = nil
				return s.showFact(c, web.Classify(err).Status, page, pages.Fact{Form: form})
			}

			return err
		}

		return s.Done(c, web.OpFactsPath+"/"+key, web.Flash{Key: "facts.verified"})
	}

	in, err := typedFact(c, key)
	if err == nil && do == "save" {
		_, err = facts.Publish(ctx, s.DB, web.Member(c).Actor, in, now)
		if err == nil {
			return s.Done(c, web.OpFactsPath+"/"+key, web.Flash{Key: "facts.saved"})
		}
	}
	var preview *pages.FactPreview
	if err == nil && do == "preview" {
		preview, err = s.previewFact(ctx, in, now)
	}
	if form, ok := web.Refilled(c, err, factFields...); ok {
		return s.showFact(c, web.Classify(err).Status, page, pages.Fact{Form: form})
	}
	if err != nil {
		return err
	}

	return s.showFact(c, fiber.StatusOK, page, pages.Fact{Form: components.Filled{Values: typedValues(c)}, Preview: preview})
}

func typedValues(c *fiber.Ctx) map[string]string {
	values := map[string]string{}
	for _, name := range factFields {
		values[name] = web.Field(c, name)
	}

	return values
}

func (s *Pages) previewFact(ctx context.Context, in facts.Change, now time.Time) (*pages.FactPreview, error) {
	before, after, reach, err := facts.Try(ctx, s.DB, in, now)
	if err != nil {
		return nil, err
	}
	p := &pages.FactPreview{
		After: web.FactView(ctx, after, now), News: after.News, Businesses: reach.Businesses, People: reach.People, There: reach.There, OtherLang: i18n.Hindi,
	}
	if i18n.Lang(ctx) == i18n.Hindi {
		p.OtherLang = i18n.English
	}
	p.OtherText = after.Text(p.OtherLang)
	p.After.Was = before.Text(i18n.Lang(ctx))

	return p, nil
}
