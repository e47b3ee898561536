package tenants

import "time"

// DaysUntil counts the days from now, by the tenant's clocks, to a day; negative where that is over.
func (t Tenant) DaysUntil(day, now time.Time) int {
	const oneDay = 24 * time.Hour
	y, m, d := now.In(t.Location()).Date()

	return int(day.UTC().Truncate(oneDay).Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) / oneDay)
}
