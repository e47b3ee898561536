package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

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
			took, refused, err := sendAll(ctx, client, url, b, func() bool { return more(sent.Add(1)) })
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

func sendAll(ctx context.Context, client *fasthttp.Client, url string, b business, more func() bool) (took []time.Duration, refused int, err error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.Header.SetMethod(http.MethodPost)
	req.Header.SetContentType("application/json")
	req.SetRequestURI(url + "/hooks/whatsapp/" + appName)
	var body []byte
	for more() && ctx.Err() == nil {
		n := serial.Add(1)
		body = fmt.Appendf(body[:0], `{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
			`"metadata":{"display_phone_number":%q,"phone_number_id":%q},"messages":[{"from":"917%09d","from_user_id":"IN.88%014d","id":"wamid.ingest.%d",`+
			`"timestamp":"1790000000","type":"text","text":{"body":%q}}]}}]}]}`, b.waba, b.display, b.phoneNumberID, n%50_000, n%50_000, n, filler)
		req.SetBody(body)
		req.Header.Set("X-Hub-Signature-256", whatsapp.Sign([]byte(appSecret), body))
		begun := time.Now()
		if err := client.Do(req, resp); err != nil {
			return took, refused, fmt.Errorf("send: %w", err)
		}
		switch resp.StatusCode() {
		case http.StatusOK:
			took = append(took, time.Since(begun))
		case http.StatusServiceUnavailable:
			refused++
		default:
			return took, refused, fmt.Errorf("answered %d", resp.StatusCode())
		}
	}

	return took, refused, nil
}
