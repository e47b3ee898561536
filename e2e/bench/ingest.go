package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
	"github.com/valyala/fasthttp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const ingestFor = 3 * time.Second

// benchIngest measures accepted webhooks a second over connections that are kept: checked only, stored one by one, and stored
// as the product does.
func benchIngest(ctx context.Context, p *place, t *table) error {
	for _, connections := range []int{64, 256} {
		all := map[string]load{}
		for _, role := range []string{roleHMAC, roleRow, roleGroup} {
			var rounds []load
			for range 3 {
				l, err := p.ingest(ctx, role, connections)
				if err != nil {
					return err
				}
				rounds = append(rounds, l)
			}
			slices.SortFunc(rounds, func(a, b load) int { return int(a.rate() - b.rate()) })
			all[role] = rounds[1]
		}
		for _, role := range []string{roleHMAC, roleRow, roleGroup} {
			l := all[role]
			t.line(fmt.Sprintf("%d connections, %s", connections, map[string]string{
				roleHMAC: "signature checked only", roleRow: "a row a request", roleGroup: "group commit (ours)",
			}[role]), fmt.Sprintf("%.0f/s, p50 %s, p99 %s, refused %d", l.rate(), milliseconds(quantile(l.took, 0.5)), milliseconds(quantile(l.took, 0.99)), l.refused))
		}
		t.line("  ours ÷ a row a request", fmt.Sprintf("%.2f×, p99 %.2f×", all[roleGroup].rate()/all[roleRow].rate(),
			float64(quantile(all[roleGroup].took, 0.99))/float64(quantile(all[roleRow].took, 0.99))))
		t.line("  ours ÷ signature only", fmt.Sprintf("%.2f", all[roleGroup].rate()/all[roleHMAC].rate()))
	}

	return p.ceiling(ctx, t)
}

// ceiling measures what the database takes where nothing else is done: bodies that are ready, so many to a statement, one statement
// after the other, with the same unique key.
func (p *place) ceiling(ctx context.Context, t *table) error {
	for _, rows := range []int{64, 256} {
		if err := p.emptyInbox(ctx); err != nil {
			return err
		}
		digests, bodies := make(pq.ByteaArray, rows), make(pq.ByteaArray, rows)
		var (
			stored int
			took   time.Duration
		)
		for begun := time.Now(); time.Since(begun) < ingestFor; {
			for i := range rows {
				bodies[i] = fmt.Appendf(nil, "%d %s %s", serial.Add(1), filler, filler[:400])
				digest := sha256.Sum256(bodies[i])
				digests[i] = digest[:]
			}
			before := time.Now()
			err := p.db.System(ctx, func(tx *tenants.Tx) error {
				_, err := tx.ExecContext(ctx, `
					INSERT INTO inbox_events (app_id, digest, body) SELECT $1, g.digest, g.body FROM unnest($2::bytea[], $3::bytea[]) AS g (digest, body)`,
					p.app, digests, bodies)
				return err
			})
			if err != nil {
				return fmt.Errorf("store at once: %w", err)
			}
			took, stored = took+time.Since(before), stored+rows
		}
		t.line(fmt.Sprintf("%d rows a statement, nothing else done", rows), fmt.Sprintf("%.0f/s", float64(stored)/took.Seconds()))
	}

	return nil
}

func (p *place) ingest(ctx context.Context, role string, connections int) (l load, err error) {
	if err := p.emptyInbox(ctx); err != nil {
		return load{}, err
	}
	s, err := p.start(ctx, role)
	if err != nil {
		return load{}, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	b := p.businesses[0]
	if _, err := post(ctx, s.url, b, connections, until(time.Now().Add(time.Second/2))); err != nil { // warm
		return load{}, err
	}

	return post(ctx, s.url, b, connections, until(time.Now().Add(ingestFor)))
}

// load is what a number of senders were answered.
type load struct {
	took    []time.Duration // of each accepted webhook, sorted
	refused int             // 503
	elapsed time.Duration
}

func (l load) rate() float64 { return float64(len(l.took)) / l.elapsed.Seconds() }

func until(end time.Time) func(int64) bool {
	return func(int64) bool { return time.Now().Before(end) }
}

// serial numbers every webhook of a run, so that no body comes twice.
var serial atomic.Int64

// post sends signed webhooks of 1.2 KB over a number of connections, each its next once the last is answered, while more says so.
func post(ctx context.Context, url string, b business, connections int, more func(sent int64) bool) (load, error) {
	return send(ctx, url, connections, func(n int64) (business, time.Time, bool) { return b, time.Now(), more(n) })
}

// pace sends webhooks at a rate for a while, whether or not the last are answered: how long each took counts from when it was due. who
// says whose the n-th is.
func pace(ctx context.Context, url string, rate int, lasting time.Duration, who func(n int64) business) (load, error) {
	begun, all := time.Now(), int64(float64(rate)*lasting.Seconds())

	return send(ctx, url, 128, func(n int64) (business, time.Time, bool) {
		due := begun.Add(time.Duration(n) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))

		return who(n), due, n <= all
	})
}

// send sends webhooks over a number of connections: the n-th to whom next says, counted from when it was due.
func send(ctx context.Context, url string, connections int, next func(n int64) (business, time.Time, bool)) (load, error) {
	client := &fasthttp.Client{MaxConnsPerHost: connections, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	var (
		senders sync.WaitGroup
		mu      sync.Mutex
		all     load
		failed  error
		sent    atomic.Int64
	)
	begun := time.Now()
	for range connections {
		senders.Go(func() {
			took, refused, err := sendAll(ctx, client, url, func() (business, time.Time, bool) { return next(sent.Add(1)) })
			mu.Lock()
			defer mu.Unlock()
			all.took, all.refused = append(all.took, took...), all.refused+refused
			failed = errors.Join(failed, err)
		})
	}
	senders.Wait()
	all.elapsed = time.Since(begun)
	slices.Sort(all.took)

	return all, failed
}

var filler = strings.Repeat("namaste ", 90)

func sendAll(ctx context.Context, client *fasthttp.Client, url string, next func() (business, time.Time, bool)) (took []time.Duration, refused int, err error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.Header.SetMethod(http.MethodPost)
	req.Header.SetContentType("application/json")
	req.SetRequestURI(url + "/hooks/whatsapp/" + appName)
	var body []byte
	for ctx.Err() == nil {
		b, due, more := next()
		if !more {
			break
		}
		n := serial.Add(1)
		body = fmt.Appendf(body[:0], `{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
			`"metadata":{"display_phone_number":%q,"phone_number_id":%q},"messages":[{"from":"917%09d","from_user_id":"IN.88%014d","id":"wamid.ingest.%d",`+
			`"timestamp":"%d","type":"text","text":{"body":%q}}]}}]}]}`, b.waba, b.display, b.phoneNumberID, 1+n%50_000, 1+n%50_000, n, time.Now().Unix(), filler)
		req.SetBody(body)
		req.Header.Set("X-Hub-Signature-256", whatsapp.Sign([]byte(appSecret), body))
		if err := client.Do(req, resp); err != nil {
			return took, refused, fmt.Errorf("send: %w", err)
		}
		switch resp.StatusCode() {
		case http.StatusOK:
			took = append(took, time.Since(due))
		case http.StatusServiceUnavailable:
			refused++
		default:
			return took, refused, fmt.Errorf("answered %d", resp.StatusCode())
		}
	}

	return took, refused, nil
}
