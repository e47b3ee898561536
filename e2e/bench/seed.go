package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Ids of seeded rows grow with the person, as those the product makes do.
const seedID = `CREATE OR REPLACE FUNCTION seed_id(kind int, k bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
	SELECT ('01900000' || lpad(to_hex(k), 8, '0') || '8000' || '8000' || lpad(to_hex(kind), 8, '0'))::uuid $$`

// seedPeople stores people, each known by a phone and a BSUID, as the product would have left them: from first to last, both
// included. They were last heard of in the past month. Two halves are stored side by side.
func (p *place) seedPeople(ctx context.Context, b business, first, last int) error {
	if err := p.exec(ctx, seedID); err != nil {
		return err
	}
	half := first + (last-first)/2
	halves, storing := errgroup.WithContext(ctx)
	halves.Go(func() error { return p.seedSome(storing, b, first, half) })
	halves.Go(func() error { return p.seedSome(storing, b, half+1, last) })

	return halves.Wait()
}

func (p *place) seedSome(ctx context.Context, b business, first, last int) error {
	if last < first {
		return nil
	}
	called := fmt.Sprintf(`generate_series($3::bigint, $4::bigint) k JOIN seed_given g ON g.n = k %% %d JOIN seed_family f ON f.n = k / %d %% %d`,
		len(p.names.given), len(p.names.given), len(p.names.family))
	heard := `now() - (k % 43200) * interval '1 minute' - interval '1 hour'`
	for _, statement := range []string{
		`INSERT INTO identifiers (tenant_id, id, scope, kind, value, raw, first_seen, last_seen)
		 SELECT $1::uuid, seed_id(1, k), $2::text, 'phone', '917' || lpad(k::text, 9, '0'), '917' || lpad(k::text, 9, '0'), now() - interval '150 days', ` + heard + ` FROM generate_series($3::bigint, $4::bigint) k
		 UNION ALL
		 SELECT $1::uuid, seed_id(2, k), $2::text, 'bsuid', 'IN.88' || lpad(k::text, 14, '0'), 'IN.88' || lpad(k::text, 14, '0'), now() - interval '150 days', ` + heard + ` FROM generate_series($3::bigint, $4::bigint) k`,
		`INSERT INTO pairings (tenant_id, id, bsuid_id, other_id, first_at, last_at, source, first_item, last_item)
		 SELECT $1::uuid, seed_id(3, k), seed_id(2, k), seed_id(1, k), now() - interval '150 days', ` + heard + `, 'message', k, k FROM generate_series($3::bigint, $4::bigint) k WHERE $2::text <> ''`,
		`INSERT INTO contacts (tenant_id, id) SELECT $1::uuid, seed_id(4, k) FROM generate_series($3::bigint, $4::bigint) k WHERE $2::text <> ''`,
		`INSERT INTO identities (tenant_id, id, scope, anchor_id, home_contact, contact_id)
		 SELECT $1::uuid, seed_id(5, k), $2::text, seed_id(2, k), seed_id(4, k), seed_id(4, k) FROM generate_series($3::bigint, $4::bigint) k`,
		`INSERT INTO tenures (tenant_id, id, identity_id, identifier_id, first_seen, last_seen, current)
		 SELECT $1::uuid, seed_id(5 + n, k), seed_id(5, k), seed_id(n, k), now() - interval '150 days', ` + heard + `, true
		 FROM generate_series($3::bigint, $4::bigint) k, generate_series(1, 2) n WHERE $2::text <> ''`,
		`INSERT INTO profile_facts (tenant_id, tenure_id, kind, value, first_seen, last_seen)
		 SELECT $1::uuid, seed_id(7, k), 'profile_name', g.latin || ' ' || f.latin, now() - interval '150 days', ` + heard + ` FROM ` + called + ` WHERE $2::text <> ''`,
		`INSERT INTO called (tenant_id, identifier_id, words, first_at)
		 SELECT $1::uuid, seed_id(2, k), CASE WHEN g.latin = f.latin THEN g.latin ELSE least(g.latin COLLATE "C", f.latin) || ' ' || greatest(g.latin COLLATE "C", f.latin) END, now() - interval '150 days'
		 FROM ` + called + ` WHERE $2::text <> ''`,
		`INSERT INTO contact_activity (tenant_id, contact_id, last_at)
		 SELECT $1::uuid, seed_id(4, k), ` + heard + ` FROM generate_series($3::bigint, $4::bigint) k WHERE $2::text <> ''`,
		`INSERT INTO contact_words (tenant_id, contact_id, word)
		 SELECT $1::uuid, seed_id(4, k), w FROM ` + called + `, unnest(ARRAY['p:917' || lpad(k::text, 9, '0'), '4:' || right(lpad(k::text, 9, '0'), 4), 'b:IN.88' || lpad(k::text, 14, '0')] || g.found || f.found) w
		 WHERE $2::text <> '' ON CONFLICT DO NOTHING`,
	} {
		if err := p.exec(ctx, statement, b.tenant, "portfolio:"+portfolio, first, last); err != nil {
			return fmt.Errorf("seed people: %w", err)
		}
	}

	return nil
}

// seedMessages stores messages of seeded people, each of them as many.
func (p *place) seedMessages(ctx context.Context, b business, first, last, each int) error {
	err := p.exec(ctx, `
		INSERT INTO messages (tenant_id, id, number_id, wamid, tenure_id, direction, type, text, at, digest, item_id, received_at)
		SELECT $1::uuid, seed_id(100 + n::int, k), $2, 'wamid.seed.' || k || '.' || n, seed_id(7, k), CASE WHEN n % 3 = 0 THEN 'out' ELSE 'in' END, 'text',
		       'namaste ' || n, now() - interval '140 days' + (n::bigint * 130 * 1440 / $5::int) * interval '1 minute', md5(k || '.' || n), k, now()
		FROM generate_series($3::bigint, $4::bigint) k, generate_series(1, $5::int) n`, b.tenant, b.number, first, last, each)
	if err == nil {
		err = p.exec(ctx, `
			INSERT INTO thread_tips (tenant_id, tenure_id, number_id, place, asked_at, answered_at, waiting_since)
			SELECT w.*, CASE WHEN w.asked_at > coalesce(w.answered_at, '-infinity') THEN w.asked_at END
			FROM (SELECT tenant_id, tenure_id, number_id, date_trunc('minute', max(at)), max(at) FILTER (WHERE direction = 'in') AS asked_at,
			             max(at) FILTER (WHERE direction = 'out') AS answered_at
			      FROM messages WHERE tenant_id = $1 AND tenure_id BETWEEN seed_id(7, $2) AND seed_id(7, $3) AND wamid LIKE 'wamid.seed.%' GROUP BY 1, 2, 3) w
			ON CONFLICT DO NOTHING`, b.tenant, first, last)
	}
	if err != nil {
		return fmt.Errorf("seed messages: %w", err)
	}

	return nil
}

// seedCases stores an open case of one in some people, and a link of each: WhatsApp showed the phone and the ID together.
func (p *place) seedCases(ctx context.Context, b business, first, last int) error {
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO cases (tenant_id, id, kind, key, identity_id, contact_id, waiting_since)
		 SELECT $1::uuid, seed_id(9, k), 'unresolved', 'contact:' || seed_id(4, k), seed_id(5, k), seed_id(4, k), now() - (k %% 4000) * interval '1 minute'
		 FROM generate_series($2::bigint, $3::bigint) k WHERE k %% %d = 0`, caseOf),
		`INSERT INTO links (tenant_id, id, kind, at, actor_kind, keep_contact, identity_id, evidence)
		 SELECT $1::uuid, seed_id(10, k), 'attested', now() - (k % 216000) * interval '1 minute', 'system', seed_id(4, k), seed_id(5, k), '{}'
		 FROM generate_series($2::bigint, $3::bigint) k`,
	} {
		if err := p.exec(ctx, statement, b.tenant, first, last); err != nil {
			return fmt.Errorf("seed cases: %w", err)
		}
	}

	return nil
}

// analyze tells the planner what was seeded.
func (p *place) analyze(ctx context.Context) error { return p.exec(ctx, `VACUUM ANALYZE`) }
