package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

const (
	apiKeys     = 3 // each has its own limit of requests
	connections = 8
	portfolioA  = "506914300000011"
	portfolioB  = "506914300000012"

	patience = 3 * time.Minute // for anything at all to be processed
	refusals = 30              // of one request, by a machine that is busy
)

// customer is a business on the program, with its numbers connected and keys to the API.
type customer struct {
	*program
	numbers []sandbox.Number
	scopes  map[string]string // portfolio by phone number id
	keys    []string
	turn    atomic.Int64
	slug    string

	listedFrom, listedTo time.Time // when its list came in
}

// customer sets one up as it would itself: by commands, with numbers that nobody else has.
func (p *program) customer(ctx context.Context) (*customer, error) {
	p.worlds++
	slug := fmt.Sprintf("world-%d", p.worlds)
	c := &customer{program: p, slug: slug, scopes: map[string]string{}}
	if _, err := p.run(ctx, password, "tenant", "add", "--slug", slug, "--name", slug, "--owner-email", slug+"@pehchan.example"); err != nil {
		return nil, err
	}
	group, setting := errgroup.WithContext(ctx)
	for i, portfolio := range []string{portfolioA, portfolioA, portfolioB} {
		n := sandbox.Number{
			PortfolioID: portfolio, WABAID: fmt.Sprintf("31884%06d%d", p.worlds, i/2), PhoneNumberID: fmt.Sprintf("22446%06d%d", p.worlds, i),
			DisplayPhone: fmt.Sprintf("1555%05d%d", p.worlds, i), Trade: sandbox.Clinic,
		}
		c.numbers, c.scopes[n.PhoneNumberID] = append(c.numbers, n), portfolio
		group.Go(func() error {
			_, err := p.run(setting, `{"access_token":"accuracy-access-token"}`, "number", "connect", "--tenant", slug, "--app", appName,
				"--waba-id", n.WABAID, "--phone-number-id", n.PhoneNumberID, "--display-phone", "+"+n.DisplayPhone,
				"--portfolio-id", portfolio, "--unconfirmed")
			return err
		})
	}
	c.keys = make([]string, apiKeys)
	for i := range apiKeys {
		group.Go(func() error {
			made, err := p.run(setting, "", "apikey", "add", "--tenant", slug, "--scopes", "read,write")
			if err != nil {
				return err
			}
			key, ok := made["key"].(string)
			if !ok {
				return errors.New("apikey add printed no key")
			}
			c.keys[i] = key

			return nil
		})
	}

	return c, group.Wait()
}

// deliver posts webhooks, several at a time, again where the program asks to wait.
func (c *customer) deliver(ctx context.Context, bodies [][]byte) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(connections)
	to := c.url + numbers.HookPath(appName)
	for _, body := range bodies {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			for {
				status, err := sandbox.Send(ctx, c.client, to, c.secret, body)
				switch {
				case err != nil:
					return err
				case status == http.StatusOK:
					return nil
				case status != http.StatusServiceUnavailable:
					return fmt.Errorf("a webhook was answered with %d", status)
				}
				if err := pause(ctx, time.Second); err != nil {
					return err
				}
			}
		})
	}

	return group.Wait()
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// meter is the zero-loss meter.
type meter struct {
	Items struct {
		Received int `json:"received"`
		Routed   int `json:"routed"`
		Held     int `json:"held"`
		SetAside int `json:"set_aside"`
		Waiting  int `json:"waiting"`
	} `json:"items"`
}

// settled waits until nothing waits any more. What is then held or set aside is an error: the world sends nothing odd.
func (c *customer) settled(ctx context.Context) error {
	moved, last := time.Now(), meter{}
	for {
		var m meter
		if err := c.get(ctx, "/ingest", nil, &m); err != nil {
			return err
		}
		if m.Items.Waiting == 0 {
			if m.Items.Held+m.Items.SetAside > 0 || m.Items.Routed != m.Items.Received {
				return fmt.Errorf("of %d items %d were routed, %d held and %d set aside", m.Items.Received, m.Items.Routed, m.Items.Held, m.Items.SetAside)
			}
			return nil
		}
		if m != last {
			moved, last = time.Now(), m
		}
		if time.Since(moved) > patience {
			return fmt.Errorf("%d items have waited for %s and nothing moves", m.Items.Waiting, patience)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// refusal is an answer of the API that is not a success.
type refusal struct {
	Asked  string // method and path
	Status int
	Body   string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the API answered %s with %d: %.200s", r.Asked, r.Status, r.Body)
}

func (c *customer) get(ctx context.Context, path string, query url.Values, into any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}

	return c.call(ctx, http.MethodGet, path, nil, into)
}

// call waits where the API says so. What a busy machine answers with 503 is asked again, as the API's users are told to: a writing with the
// same key, so that it is done once.
func (c *customer) call(ctx context.Context, method, path string, body []byte, into any) error {
	key := rand.Text()
	for busy := 0; ; {
		request, err := http.NewRequestWithContext(ctx, method, c.url+"/api/v1"+path, bytes.NewReader(body))
		if err != nil {
			return fmt.Errorf("ask the API: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+c.keys[int(c.turn.Add(1))%len(c.keys)])
		if body != nil {
			request.Header.Set("Content-Type", "application/json")
		}
		if method == http.MethodPost {
			request.Header.Set("Idempotency-Key", key)
		}
		response, err := c.client.Do(request)
		if err != nil {
			return fmt.Errorf("ask the API: %w", err)
		}
		answer, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return fmt.Errorf("read the API's answer: %w", err)
		}
		switch {
		case response.StatusCode == http.StatusTooManyRequests:
			if err := pause(ctx, 50*time.Millisecond+mathrand.N(100*time.Millisecond)); err != nil {
				return err
			}
		case response.StatusCode == http.StatusServiceUnavailable && busy < refusals:
			busy++
			if err := pause(ctx, 2*time.Second); err != nil {
				return err
			}
		case response.StatusCode >= http.StatusMultipleChoices:
			return &refusal{method + " " + path, response.StatusCode, string(answer)}
		default:
			if err := json.Unmarshal(answer, into); err != nil {
				return fmt.Errorf("read the API's answer: %w", err)
			}
			return nil
		}
	}
}

// all reads every page of a list.
func all[T any](ctx context.Context, c *customer, path string, query url.Values) ([]T, error) {
	var rows []T
	for {
		var page struct {
			Items []T    `json:"items"`
			Next  string `json:"next_cursor"`
		}
		if err := c.get(ctx, path, query, &page); err != nil {
			return nil, err
		}
		rows = append(rows, page.Items...)
		if page.Next == "" {
			return rows, nil
		}
		query.Set("cursor", page.Next)
	}
}
