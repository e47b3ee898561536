package server_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// column is one of a table in which tenants have rows.
type column struct {
	Table  string `db:"table"`
	Name   string `db:"name"`
	Type   string `db:"type"`
	Needed bool   `db:"needed"` // has no default and may not be empty
	Walled bool   `db:"walled"` // shows in the tenant alone
}

// rule is a constraint of such a table.
type rule struct {
	Name    string         `db:"name"`
	Kind    string         `db:"kind"` // as in pg_constraint: c, f, u, p
	Table   string         `db:"table"`
	Columns pq.StringArray `db:"columns"`
	Of      string         `db:"of"` // the table it points to, and the columns there
	There   pq.StringArray `db:"there"`
	Text    string         `db:"text"`
}

// garden is where words are planted in a tenant's rows: by word the column, and what stayed bare.
type garden struct {
	tenant uuid.UUID
	rules  []rule
	marks  map[string]column
	bare   []string
}

// mark is the word for the nth column, and figures the number for one that takes digits alone.
func mark(n int) string    { return fmt.Sprintf("canary%03dqzxkvwj", n) }
func figures(n int) string { return fmt.Sprintf("7700900770%03d", n) }

var planted = regexp.MustCompile(`canary\d{3}qzxkvwj|7700900770\d{3}`)

// forms are what a column with rules of its own may take, from the word $1 and the number $2.
var forms = map[string][]string{
	"jsonb":  {`jsonb_build_object($1::text, $1::text, 'n', $2::text)`, `jsonb_build_array($1::text, $2::text)`},
	"text[]": {`ARRAY[$1::text, $2::text]`},
	"text": {
		`$1::text || left($2::text, 0) || substr(md5(t.ctid::text), 1, 4)`, `$1::text || left($2::text, 0)`, `$1::text || left($2::text, 0) || '@pehchan.example'`,
		`left($1::text, 0) || $2::text`, `left($1::text, 0) || $2::text || ('x' || substr(md5(t.ctid::text), 1, 4))::bit(16)::int % 90 + 10`,
	},
}

// plant writes a word of its own into every column of a tenant that takes one, and first a row into every table where it has none.
func plant(t *testing.T, db *sqlx.DB, tenant uuid.UUID) *garden {
	t.Helper()
	g := &garden{tenant: tenant, marks: map[string]column{}}
	var columns []column
	if err := db.Select(&columns, `
		SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS needed, 
			EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = c.oid AND polname = 'tenant') AS walled
		FROM pg_class c JOIN pg_attribute own ON own.attrelid = c.oid AND own.attname = 'tenant_id' AND NOT own.attisdropped
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace ORDER BY 1, a.attnum`); err != nil {
		t.Fatal(err)
	}
	if err := db.Select(&g.rules, `
		SELECT k.conname AS name, k.contype AS kind, k.conrelid::regclass::text AS table, pg_get_constraintdef(k.oid) AS text, coalesce(nullif(k.confrelid, 0)::regclass::text, '') AS of,
			ARRAY(SELECT attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i) JOIN pg_attribute ON attrelid = k.conrelid AND attnum = n ORDER BY i) AS columns,
			ARRAY(SELECT attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i) JOIN pg_attribute ON attrelid = k.confrelid AND attnum = n ORDER BY i) AS there
		FROM pg_constraint k WHERE k.connamespace = 'public'::regnamespace AND k.conrelid <> 0`); err != nil {
		t.Fatal(err)
	}
	tables := map[string][]column{}
	for _, c := range columns {
		tables[c.Table] = append(tables[c.Table], c)
	}

	tables, missing := map[string][]column{}, map[string]error{}
	for _, c := range columns {
		tables[c.Table], missing[c.Table] = append(tables[c.Table], c), errNothing
	}
	for _, in := range []uuid.UUID{tenant, uuid.Nil} { // what is the platform's is written outside the tenant
		within(t, db, in, func(tx *sqlx.Tx) {
			for range 3 { // what points to another row needs that first
				for table, of := range tables {
					if missing[table] != nil {
						missing[table] = g.sow(tx, table, of)
					}
				}
			}
			for n, c := range columns {
				if missing[c.Table] == nil && g.marks[mark(n)].Table == "" && !g.grow(tx, n, c) && in == uuid.Nil && len(forms[c.Type]) > 0 {
					g.bare = append(g.bare, c.Table+"."+c.Name)
				}
			}
		})
	}
	for table, err := range missing {
		if err != nil {
			g.bare = append(g.bare, table+": "+err.Error())
		}
	}
	slices.Sort(g.bare)

	return g
}

var errNothing = errors.New("no row")

// try runs one statement that may fail, and fails where it touches no row.
func try(tx *sqlx.Tx, query string, args ...any) error {
	tx.MustExec(`SAVEPOINT plant`)
	done, err := tx.Exec(query, args...)
	if err != nil {
		tx.MustExec(`ROLLBACK TO SAVEPOINT plant`)
		return err
	}
	if rows, err := done.RowsAffected(); err != nil || rows == 0 {
		return errors.Join(errNothing, err)
	}

	return nil
}

// grow writes the nth column's word into all rows, or else into one.
func (g *garden) grow(tx *sqlx.Tx, n int, c column) bool {
	for _, rows := range []string{"", ` AND t.ctid = (SELECT min(ctid) FROM public.` + c.Table + ` WHERE tenant_id = $3)`} {
		for _, form := range forms[c.Type] {
			if try(tx, `UPDATE public.`+c.Table+` t SET `+c.Name+` = `+form+` WHERE tenant_id = $3`+rows, mark(n), figures(n), g.tenant) == nil {
				g.marks[mark(n)], g.marks[figures(n)] = c, c
				return true
			}
		}
		if slices.ContainsFunc(g.rules, func(r rule) bool {
			return r.Kind == "c" && r.Table == c.Table && slices.Equal(r.Columns, []string{c.Name}) && strings.Contains(r.Text, "ARRAY[")
		}) {
			break // one of a list
		}
	}

	return false
}

var literal = regexp.MustCompile(`'([^']*)'::text`)

// plain are values for columns of a type that no rule names one for.
var plain = map[string][]string{
	"uuid": {"gen_random_uuid()"}, "bigint": {"1", "0"}, "integer": {"1", "0"}, "smallint": {"1", "0"}, "boolean": {"false", "true"}, "numeric": {"1"}, "real": {"0.5"}, "double precision": {"0.5"},
	"jsonb": {"'{}'", "'[]'"}, "bytea": {`sha256('x')`}, "timestamp with time zone": {"now()"}, "date": {"current_date", "date_trunc('week', now())", "date_trunc('month', now())"},
	"text": {"'canary'", "'9198000000001'", "'en'", "'IN'"}, "text[]": {"'{}'"}, "interval": {"'1 hour'"},
}

// sow sees to it that the tenant has a row in a table. What the rules of the table name is tried in turn.
func (g *garden) sow(tx *sqlx.Tx, table string, columns []column) error {
	if try(tx, `SELECT FROM public.`+table+` WHERE tenant_id = $1 LIMIT 1`, g.tenant) == nil {
		return nil
	}
	var names []string
	values := map[string][]string{}
	for _, c := range columns {
		if !c.Needed && c.Name != "tenant_id" {
			continue
		}
		names = append(names, c.Name)
		for _, r := range g.rules {
			at := slices.Index(r.Columns, c.Name)
			switch {
			case r.Table != table || at < 0:
			case r.Kind == "f" && c.Name != "tenant_id":
				where := ""
				if slices.Contains(r.There, "tenant_id") {
					where = ` WHERE tenant_id = '` + g.tenant.String() + `'`
				}
				values[c.Name] = []string{`(SELECT ` + r.There[at] + ` FROM ` + r.Of + where + ` ORDER BY 1 LIMIT 1)`}
			case r.Kind == "c" && c.Type == "text":
				for _, m := range literal.FindAllStringSubmatch(r.Text, -1) {
					values[c.Name] = append(values[c.Name], "'"+m[1]+"'")
				}
			}
		}
		if len(values[c.Name]) == 0 || !strings.HasPrefix(values[c.Name][0], "(SELECT") {
			values[c.Name] = append(values[c.Name], plain[c.Type]...)
		}
	}
	values["tenant_id"] = []string{"'" + g.tenant.String() + "'"}
	for {
		var row []string
		for _, name := range names {
			row = append(row, values[name][0])
		}
		err := try(tx, `INSERT INTO public.`+table+` (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(row, ", ")+`)`)
		var refused *pq.Error
		if !errors.As(err, &refused) {
			return err
		}
		// Of the columns that the broken rule is about one takes its next value.
		moved := false
		for _, r := range g.rules {
			for _, name := range r.Columns {
				if r.Name == refused.Constraint && r.Table == table && !moved && len(values[name]) > 1 {
					values[name], moved = values[name][1:], true
				}
			}
		}
		if !moved {
			return err
		}
	}
}
