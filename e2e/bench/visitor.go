package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// visitor is somebody signed in.
type visitor struct {
	client *http.Client
	url    string
}

var formToken = regexp.MustCompile(`name="_csrf" value="([^"]+)"`)

func signIn(ctx context.Context, address, email, password string) (visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return visitor{}, fmt.Errorf("sign in: %w", err)
	}
	v := visitor{url: address, client: &http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 8}}}
	page, err := v.get(ctx, "/login")
	if err != nil {
		return visitor{}, err
	}
	token := formToken.FindStringSubmatch(page)
	if token == nil {
		return visitor{}, errors.New("sign in: the page has no form token")
	}
	form := url.Values{"_csrf": {token[1]}, "email": {email}, "password": {password}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return visitor{}, fmt.Errorf("sign in: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", address)
	if _, err := v.do(req); err != nil {
		return visitor{}, fmt.Errorf("sign in: %w", err)
	}

	return v, nil
}

func (v visitor) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+path, nil)
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", path, err)
	}

	return v.do(req)
}

func (v visitor) do(req *http.Request) (string, error) {
	resp, err := v.client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %d", req.URL.Path, resp.StatusCode)
	}

	return string(body), err
}

var nextPage = regexp.MustCompile(`href="(/contacts\?[^"]*cursor=[^"]+)"`)

// deepPage follows the list of contacts thirty pages on.
func (v visitor) deepPage(ctx context.Context) (string, error) {
	path := "/contacts"
	for range 30 {
		page, err := v.get(ctx, path)
		if err != nil {
			return "", err
		}
		links := nextPage.FindAllStringSubmatch(page, -1)
		if len(links) == 0 {
			return path, nil
		}
		path = strings.ReplaceAll(links[len(links)-1][1], "&amp;", "&")
	}

	return path, nil
}

// time asks for pages, one after the other by each of the clients, and returns how long each took, sorted.
func (v visitor) time(ctx context.Context, clients int, path func(i int) string) ([]time.Duration, error) {
	var (
		asking sync.WaitGroup
		mu     sync.Mutex
		took   []time.Duration
		failed error
	)
	for c := range clients {
		asking.Go(func() {
			for i := range pageRequests {
				begun := time.Now()
				_, err := v.get(ctx, path(c*pageRequests+i))
				mu.Lock()
				took, failed = append(took, time.Since(begun)), cmp.Or(failed, err)
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	slices.Sort(took)

	return took, failed
}

// mondayBefore is the Monday of the week some days ago, as addresses write it.
func mondayBefore(days int) string {
	day := time.Now().UTC().AddDate(0, 0, -days)

	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7).Format(time.DateOnly)
}
