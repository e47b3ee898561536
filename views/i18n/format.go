package i18n

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/message"
)

var printers = map[string]*message.Printer{
	English: message.NewPrinter(language.MustParse("en-IN")),
	Hindi:   message.NewPrinter(language.MustParse("hi-IN")),
}

// Number writes n with Indian grouping: 12,34,567. Both languages use Latin
// digits, as CLDR has it for Hindi.
func Number(ctx context.Context, n int64) string {
	if n > -1000 && n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return printers[Lang(ctx)].Sprintf("%d", n)
}

// Percent writes part of whole as a whole percentage. It never rounds up to
// 100 nor down to 0: those two figures mean "all" and "none".
func Percent(ctx context.Context, part, whole int64) string {
	if whole <= 0 {
		return "–"
	}
	p := (part*100 + whole/2) / whole
	if p >= 100 && part < whole {
		p = 99
	}
	if p <= 0 && part > 0 {
		p = 1
	}
	return Number(ctx, p) + "%"
}

// Short month names as CLDR writes them in running text.
var months = map[string][12]string{
	English: {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	Hindi:   {"जन॰", "फ़र॰", "मार्च", "अप्रैल", "मई", "जून", "जुल॰", "अग॰", "सित॰", "अक्टू॰", "नव॰", "दिस॰"},
}

// Date writes the day of t in the reader's zone: 5 Jul 2026.
func Date(ctx context.Context, t time.Time) string {
	l := from(ctx)
	t = t.In(l.zone)
	return fmt.Sprintf("%d %s %d", t.Day(), months[l.lang][t.Month()-1], t.Year())
}

// Month writes the month of t in the reader's zone: Jul 2026.
func Month(ctx context.Context, t time.Time) string {
	l := from(ctx)
	t = t.In(l.zone)
	return fmt.Sprintf("%s %d", months[l.lang][t.Month()-1], t.Year())
}

// Day writes a day of the calendar, which is the same in every zone.
func Day(ctx context.Context, t time.Time) string {
	return Date(With(ctx, Lang(ctx), time.UTC), t)
}

var regions = map[string]display.Namer{
	English: display.Regions(language.English),
	Hindi:   display.Regions(language.Hindi),
}

// Country names a country by its ISO 3166 code; one that it does not know is
// written as the code.
func Country(ctx context.Context, code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if name := regions[Lang(ctx)].Name(region); name != "" {
		return name
	}
	return code
}

// Clock writes the time of day of t in the reader's zone: 2:05 pm.
func Clock(ctx context.Context, t time.Time) string {
	return t.In(Zone(ctx)).Format("3:04 pm")
}

// DateTime writes day and time of t in the reader's zone: 5 Jul 2026, 2:05 pm.
func DateTime(ctx context.Context, t time.Time) string {
	return Date(ctx, t) + ", " + Clock(ctx, t)
}

// Exact is DateTime with seconds and the name of the zone, for tooltips,
// receipts and print.
func Exact(ctx context.Context, t time.Time) string {
	return Date(ctx, t) + ", " + t.In(Zone(ctx)).Format("3:04:05 pm MST")
}

// Ago writes how long before now t was, in the one unit that says it best. A
// moment over a week away is written as its date; one still to come is
// written as in how long.
func Ago(ctx context.Context, t, now time.Time) string {
	d := now.Sub(t)
	if d < -time.Minute {
		return In(ctx, -d)
	}
	switch {
	case d < time.Minute:
		return T(ctx, "time.just_now")
	case d < time.Hour:
		return N(ctx, "time.minutes_ago", int(d/time.Minute))
	case d < 24*time.Hour:
		return N(ctx, "time.hours_ago", int(d/time.Hour))
	case d < 7*24*time.Hour:
		return N(ctx, "time.days_ago", int(d/(24*time.Hour)))
	}
	return Date(ctx, t)
}

// In writes a span that lies ahead: in 3 hours.
func In(ctx context.Context, d time.Duration) string {
	switch {
	case d < time.Hour:
		return N(ctx, "time.in_minutes", max(1, int(d/time.Minute)))
	case d < 48*time.Hour:
		return N(ctx, "time.in_hours", int(d/time.Hour))
	}
	return N(ctx, "time.in_days", int(d/(24*time.Hour)))
}

// Quick is a Span that tells milliseconds apart below two seconds.
func Quick(ctx context.Context, d time.Duration) string {
	if d < 2*time.Second {
		return T(ctx, "time.milliseconds", "count", int(d/time.Millisecond))
	}
	return Span(ctx, d)
}

// Span writes a length of time in its largest unit: 2 hours.
func Span(ctx context.Context, d time.Duration) string {
	switch {
	case d < time.Minute:
		return N(ctx, "time.seconds", int(d/time.Second))
	case d < time.Hour:
		return N(ctx, "time.minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return N(ctx, "time.hours", int(d/time.Hour))
	}
	return N(ctx, "time.days", int(d/(24*time.Hour)))
}
