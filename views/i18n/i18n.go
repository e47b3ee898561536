// Package i18n holds every sentence a person reads, in English and Hindi, and
// writes numbers, dates and spans of time the way each language does.
//
// Messages live in locales/<subject>.<lang>.json as "subject.name": "text", or
// {"one": …, "other": …} where the words depend on a count. Placeholders are
// named: {name}.
package i18n

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

// The languages the product speaks, as in <html lang>.
const (
	English = "en"
	Hindi   = "hi"
)

//go:embed locales/*.json
var locales embed.FS

// catalogue is one language: what it says, and how it counts.
type catalogue struct {
	plain     map[string]string // messages without plural forms
	localizer *goi18n.Localizer
}

var catalogues = load(locales)

// load reads all message files. The files are part of the program, so one
// that cannot be read is a broken build and stops it at once.
func load(files fs.FS) map[string]catalogue {
	bundle := goi18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	all := map[string]catalogue{}
	for _, lang := range []string{English, Hindi} {
		all[lang] = catalogue{plain: map[string]string{}, localizer: goi18n.NewLocalizer(bundle, lang)}
	}
	paths, err := fs.Glob(files, "locales/*.json")
	if err != nil {
		panic(fmt.Errorf("list message files: %w", err))
	}
	for _, path := range paths {
		raw, err := fs.ReadFile(files, path)
		if err != nil {
			panic(fmt.Errorf("read messages: %w", err))
		}
		file, err := bundle.ParseMessageFileBytes(raw, path)
		if err != nil {
			panic(fmt.Errorf("read messages of %s: %w", path, err))
		}
		for _, message := range file.Messages {
			if message.One == "" {
				all[file.Tag.String()].plain[message.ID] = message.Other
			}
		}
	}
	return all
}

type contextKey struct{}

type locale struct {
	lang string
	zone *time.Location
}

// With returns a context whose text is in lang ("en" or "hi"; anything else
// reads as English) and whose times are shown in zone (nil means UTC).
func With(ctx context.Context, lang string, zone *time.Location) context.Context {
	if _, known := catalogues[lang]; !known {
		lang = English
	}
	if zone == nil {
		zone = time.UTC
	}
	return context.WithValue(ctx, contextKey{}, locale{lang, zone})
}

func from(ctx context.Context) locale {
	if l, ok := ctx.Value(contextKey{}).(locale); ok {
		return l
	}
	return locale{English, time.UTC}
}

// Lang is the language of ctx, "en" or "hi".
func Lang(ctx context.Context) string { return from(ctx).lang }

// Zone is the time zone in which ctx shows times.
func Zone(ctx context.Context) *time.Location { return from(ctx).zone }

// Known tells whether key has a message. It is for keys that come from
// outside the views, such as the reason of a refused field.
func Known(key string) bool {
	_, ok := catalogues[English].plain[key]
	return ok
}

// T is the message of key. args are pairs of a placeholder's name and its
// value: T(ctx, "toast.member_removed", "name", person). Whole numbers are written with
// the digit grouping of the language.
func T(ctx context.Context, key string, args ...any) string {
	text, ok := catalogues[Lang(ctx)].plain[key]
	if !ok {
		return missing(key)
	}
	return fill(ctx, text, args)
}

// N is the message of key for n things; {count} stands for n.
func N(ctx context.Context, key string, n int, args ...any) string {
	text, err := catalogues[Lang(ctx)].localizer.Localize(&goi18n.LocalizeConfig{
		MessageID: key, PluralCount: n, TemplateParser: template.IdentityParser{},
	})
	if err != nil {
		return missing(key)
	}
	return fill(ctx, text, append(args, "count", n))
}

// missing stops a test and only logs in production: a page with one raw key
// is of more use than no page.
func missing(key string) string {
	if testing.Testing() {
		panic("i18n: no message " + key)
	}
	slog.Error("message missing", "key", key)
	return key
}

func fill(ctx context.Context, text string, args []any) string {
	if len(args) < 2 || !strings.Contains(text, "{") {
		return text
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, fmt.Sprintf("{%v}", args[i]), value(ctx, args[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func value(ctx context.Context, v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return Number(ctx, int64(v))
	case int64:
		return Number(ctx, v)
	}
	return fmt.Sprint(v)
}

// Part is a piece of a message: text, or the name of a slot that the caller
// fills with markup.
type Part struct {
	Text string
	Slot string
}

// Parts splits the message of key at the placeholders that args do not fill,
// so that a name can be marked up without cutting the sentence into pieces of
// its own, which no other word order would survive.
func Parts(ctx context.Context, key string, args ...any) []Part {
	filled := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		filled[fmt.Sprint(args[i])] = value(ctx, args[i+1])
	}
	var parts []Part
	text := T(ctx, key)
	for text != "" {
		before, rest, open := strings.Cut(text, "{")
		if before != "" {
			parts = append(parts, Part{Text: before})
		}
		if !open {
			break
		}
		slot, after, _ := strings.Cut(rest, "}")
		if known, ok := filled[slot]; ok {
			parts = append(parts, Part{Text: known})
		} else {
			parts = append(parts, Part{Slot: slot})
		}
		text = after
	}
	return parts
}
