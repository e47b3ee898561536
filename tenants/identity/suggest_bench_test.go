package identity_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// BenchmarkSuggest measures how long a case takes to show among very many customers. There are 5,000 sorts of them, each as often as it
// takes, so every name is far more common than among real people: the search has more to look through, not less.
func BenchmarkSuggest(b *testing.B) {
	const sorts = 5_000
	for _, size := range []int{5_000, 200_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(3, 3))
			people := compose(b, "names_frozen.tsv", sorts, rng)
			database := testdb.New(b)
			w := newWorld(b, database.DB, "asha-clinic")
			w.customers(people, rng)
			w.copyCustomers(size/sorts - 1)
			settle(b, database.OwnerDSN)

			var took []time.Duration
			for b.Loop() {
				p := pick(rng, people)
				words := 2
				if rng.IntN(4) == 0 {
					words = 1
				}
				k := stranger(p.onWhatsApp(rng, words))
				start := time.Now()
				w.as(func(tx *tenants.Tx) error {
					_, err := identity.Suggest(b.Context(), tx, k)
					return err
				})
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
		})
	}
}

// copyCustomers adds the customers that there are as often again under other phones. Only what they are found by is copied.
func (w *world) copyCustomers(times int) {
	w.t.Helper()
	for n := range times {
		w.as(func(tx *tenants.Tx) error {
			_, err := tx.ExecContext(w.t.Context(), `
				WITH origin AS (
					SELECT c.id, gen_random_uuid() AS copy, row_number() OVER (ORDER BY c.id) AS place FROM contacts c WHERE c.tenant_id = $1 AND c.notes = ''
				), made AS (
					INSERT INTO contacts (tenant_id, id, notes) SELECT $1, copy, 'copy' FROM origin
				)
				INSERT INTO contact_words (tenant_id, contact_id, word)
				SELECT $1, o.copy, w.word FROM origin o JOIN contact_words w ON w.tenant_id = $1 AND w.contact_id = o.id WHERE w.word >= 'n:' AND NOT (w.word >= 'p:' AND w.word < 'p;')
				UNION ALL
				SELECT $1, copy, v.word FROM origin CROSS JOIN LATERAL (VALUES
					('p:' || (910000000000 + $2::bigint * 100000 + place)::text), ('4:' || lpad(((place * 7919 + $2::bigint) % 10000)::text, 4, '0'))) AS v (word)
				ON CONFLICT DO NOTHING`, w.tenant, n+1)
			return err
		})
	}
}

// settle does at once what the server does by itself a while after so much was written.
func settle(b *testing.B, owner string) {
	b.Helper()
	db, err := sql.Open("postgres", owner)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(b.Context(), `VACUUM ANALYZE contact_words`); err != nil {
		b.Fatal(err)
	}
}
