package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// manyRows is from how many rows on a table that is read as a whole is named.
const manyRows = 1_000

// reading is how the database came by a page.
type reading struct {
	statements int
	blocks     int64    // of 8 kB, looked at
	whole      []string // tables of some size that were read from end to end
}

func (r reading) String() string {
	whole := "no table read whole"
	if len(r.whole) > 0 {
		whole = "whole: " + strings.Join(r.whole, ", ")
	}

	return fmt.Sprintf("%d statements, %d blocks, %s", r.statements, r.blocks, whole)
}

// plan is a node of a plan as PostgreSQL prints it, with what it did.
type plan struct {
	Type    string  `json:"Node Type"`
	Table   string  `json:"Relation Name"`
	Rows    float64 `json:"Actual Rows"` // of one loop
	Loops   float64 `json:"Actual Loops"`
	Removed float64 `json:"Rows Removed by Filter"`
	Hit     int64   `json:"Shared Hit Blocks"` // those below included
	Read    int64   `json:"Shared Read Blocks"`
	Plans   []plan  `json:"Plans"`
}

// whole adds the tables that were read from end to end.
func (n plan) whole(tables []string) []string {
	if n.Type == "Seq Scan" && (n.Rows+n.Removed)*n.Loops >= manyRows && !slices.Contains(tables, n.Table) {
		tables = append(tables, n.Table)
	}
	for _, below := range n.Plans {
		tables = below.whole(tables)
	}

	return tables
}

// explained has the web server's connections note their plans while fn runs, and gives it what reads those of one act. Where the database
// cannot note plans, readings are empty.
func (p *place) explained(ctx context.Context, fn func(of func(func() error) (reading, error)) error) error {
	if err := p.exec(ctx, `LOAD 'auto_explain'`); err != nil {
		return fn(func(act func() error) (reading, error) { return reading{}, act() })
	}
	for _, setting := range []string{
		`session_preload_libraries = 'auto_explain'`, `auto_explain.log_min_duration = 0`, `auto_explain.log_analyze = on`,
		`auto_explain.log_timing = off`, `auto_explain.log_buffers = on`, `auto_explain.log_format = 'json'`,
	} {
		if err := p.exec(ctx, `ALTER ROLE bench_app SET `+setting); err != nil {
			return fmt.Errorf("have plans noted: %w", err)
		}
	}
	err := fn(p.planned)
	if resetErr := p.exec(ctx, `ALTER ROLE bench_app RESET ALL`); err == nil {
		err = resetErr
	}

	return err
}

// planned sums up the plans that an act has the database note.
func (p *place) planned(act func() error) (reading, error) {
	var r reading
	log, err := os.Open(filepath.Join(p.dir, "postgres", "postgres.log"))
	if err != nil {
		return r, fmt.Errorf("read plans: %w", err)
	}
	defer func() { _ = log.Close() }()
	before, err := log.Stat()
	if err != nil {
		return r, fmt.Errorf("read plans: %w", err)
	}
	if err := act(); err != nil {
		return r, err
	}
	after, err := log.Stat()
	if err != nil {
		return r, fmt.Errorf("read plans: %w", err)
	}
	noted := make([]byte, after.Size()-before.Size())
	if _, err := log.ReadAt(noted, before.Size()); err != nil {
		return r, fmt.Errorf("read plans: %w", err)
	}
	// A plan stands on lines that begin with a tab, after one that ends so.
	for _, part := range bytes.Split(noted, []byte(" plan:\n"))[1:] {
		var explained struct {
			Plan plan `json:"Plan"`
		}
		if err := json.NewDecoder(bytes.NewReader(part)).Decode(&explained); err != nil {
			return r, fmt.Errorf("read plan: %w", err)
		}
		r.statements++
		r.blocks += explained.Plan.Hit + explained.Plan.Read
		r.whole = explained.Plan.whole(r.whole)
	}

	return r, nil
}
