package migrations_test

import (
	"slices"
	"testing"

	"github.com/pehchan/pehchan/migrations"
)

// Whoever adds a column that can hold words or bytes says in record.tsv what it holds of people. One of a customer is then also to be
// erased with them (tenants/privacy, whose test looks through every table).
func TestRecordKnowsEveryColumn(t *testing.T) {
	t.Parallel()

	var columns []string
	if err := owner(t).Select(&columns, `
		SELECT c.relname || '.' || a.attname FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'goose_db_version'
		  AND format_type(a.atttypid, NULL) IN ('text', 'bytea', 'jsonb', 'json', 'text[]', 'bytea[]', 'inet', 'character varying', 'xml', 'cidr', 'citext', 'hstore')
		ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, c := range migrations.Record() {
		known = append(known, c.Table+"."+c.Name)
		if c.Holds != "none" && !slices.Contains(migrations.Holds, c.Holds) {
			t.Errorf("record.tsv: %s.%s holds %q, which is none of %v", c.Table, c.Name, c.Holds, migrations.Holds)
		}
	}
	for _, c := range columns {
		if !slices.Contains(known, c) {
			t.Errorf("say in migrations/record.tsv what %s holds of people: a line %q, or one of %v", c, c+"\tnone", migrations.Holds)
		}
	}
	for _, c := range known {
		if !slices.Contains(columns, c) {
			t.Errorf("migrations/record.tsv speaks of %s, which is no column", c)
		}
	}
}
