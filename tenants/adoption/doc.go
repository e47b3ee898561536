// Package adoption counts how far usernames and WhatsApp IDs have come among a business's customers: of whom WhatsApp showed an ID
// (BSUID), a username, a phone, and when phones may stop coming.
//
// The unit is an account: one WhatsApp account as one portfolio sees it. What was seen of it stands in rows (heard_weeks, phone_windows)
// that only ever gain bits or move forward, so that no order or repetition of deliveries makes a difference. Sums over them
// (adoption_cells) change in the same transaction, by what each touched account added before and adds now; Rebuild counts them
// anew. Whatever derives accounts again lifts them first and settles them after, so that the sums follow.
//
// Links and cases are counted too (work_sums), by the statements that change them (CountCases, CountLinks).
//
// All writing is for whoever holds the tenant's identity lock.
package adoption

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What WhatsApp showed of an account, added up.
const (
	ShownID    = 1
	ShownName  = 2
	ShownPhone = 4
)

// The kinds of cells.
const (
	cellDay   = "day"
	cellWeek  = "week"
	cellMonth = "month"
	cellLast  = "last"
	cellPhone = "phone"
)

const oneDay = 24 * time.Hour

// monday is the week of a time, UTC.
func monday(t time.Time) time.Time {
	day := t.UTC().Truncate(oneDay)

	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// bit is the place of a time's day in its week.
func bit(t time.Time) int { return (int(t.UTC().Weekday()) + 6) % 7 }

// row is what one identifier of an account showed at one number in one week.
type row struct {
	Identity uuid.UUID `db:"identity_id"`
	Week     time.Time `db:"week"`
	Number   uuid.UUID `db:"number_id"`
	Tenure   uuid.UUID `db:"tenure_id"`
	BSUID    bool      `db:"bsuid"`
	Country  string    `db:"country"`
	Days     int       `db:"days"`
	Named    int       `db:"named"`
	Phoned   int       `db:"phoned"`
	Scope    string    `db:"scope"` // of the account
}

// shown is what the rows of one account show on some days of their week.
func shown(rows []row, days int) int {
	out := 0
	for _, r := range rows {
		if r.BSUID && r.Days&days != 0 {
			out |= ShownID
		}
		if r.Named&days != 0 {
			out |= ShownName
		}
		if r.Phoned&days != 0 {
			out |= ShownPhone
		}
	}

	return out
}

// country is where an account is from: what its WhatsApp ID says, else its phone.
func country(rows []row) string {
	best, sure := "", false
	for _, r := range rows {
		if r.Country != "" && (best == "" || r.BSUID && !sure || r.BSUID == sure && r.Country < best) {
			best, sure = r.Country, r.BSUID
		}
	}

	return best
}

func heardOn(rows []row) (days int) {
	for _, r := range rows {
		days |= r.Days
	}

	return days
}

// countryOf is the country that a handle tells, "" where it tells none.
func countryOf(handle string) string {
	if whatsapp.IsBSUID(handle) {
		return handle[:2]
	}

	return whatsapp.CountryOf(handle)
}

// groups puts rows of the same key together, in the order of keys.
func groups(rows []row, key func(row) uuid.UUID) [][]row {
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b row) int {
		x, y := key(a), key(b)
		return bytes.Compare(x[:], y[:])
	})
	var out [][]row
	for start := 0; start < len(sorted); {
		end := start
		for end < len(sorted) && key(sorted[end]) == key(sorted[start]) {
			end++
		}
		out, start = append(out, sorted[start:end]), end
	}

	return out
}

func byAccount(r row) uuid.UUID { return r.Identity }
func byNumber(r row) uuid.UUID  { return r.Number }

// weeks puts rows of the same week together, in the order of weeks.
func weeks(rows []row) [][]row {
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b row) int { return cmp.Compare(a.Week.Unix(), b.Week.Unix()) })
	var out [][]row
	for start := 0; start < len(sorted); {
		end := start
		for end < len(sorted) && sorted[end].Week.Equal(sorted[start].Week) {
			end++
		}
		out, start = append(out, sorted[start:end]), end
	}

	return out
}
