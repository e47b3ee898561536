package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

const (
	importPath = "/contacts/import"
	password   = "brass-lantern-monsoon-47"
)

var (
	formToken   = regexp.MustCompile(`name="_csrf" value="([^"]+)"`)
	importState = regexp.MustCompile(`data-testid="import" data-state="([a-z]+)"`)
)

// owner is the business's owner at the pages: a list comes in by no other way.
type owner struct {
	*customer
	client *http.Client
	token  string // of the last page's forms
}

// takeIn has the owner import the business's own list, and notes when that was: what the list alone tells bears that time.
func (c *customer) takeIn(ctx context.Context, rows []sandbox.ContactRow) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return fmt.Errorf("keep cookies: %w", err)
	}
	o := &owner{customer: c, client: &http.Client{
		Timeout: time.Minute, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if _, err := o.page(ctx, "/login"); err != nil {
		return err
	}
	if err := o.post(ctx, "/login", url.Values{"email": {c.slug + "@pehchan.example"}, "password": {password}}); err != nil {
		return err
	}
	if _, err := o.page(ctx, importPath); err != nil {
		return err
	}

	c.listedFrom = time.Now().Add(-time.Second)
	list, err := o.upload(ctx, rows)
	if err != nil {
		return err
	}
	if _, err := o.page(ctx, list); err != nil {
		return err
	}
	columns := url.Values{
		"headed": {"yes"}, "country": {"IN"}, "scope": {"portfolio:" + portfolioA},
		"column-0": {"external"}, "column-1": {"name"}, "column-2": {"phone"}, "column-3": {"bsuid"},
	}
	if err := o.post(ctx, list+"/columns", columns); err != nil {
		return err
	}
	if err := o.until(ctx, list, "checked"); err != nil {
		return err
	}
	if err := o.post(ctx, list+"/run", nil); err != nil {
		return err
	}
	err = o.until(ctx, list, "done")
	c.listedTo = time.Now().Add(time.Second)

	return err
}

func (o *owner) page(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url+path, http.NoBody)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", path, err)
	}
	body, _, err := o.do(request, http.StatusOK)
	if found := formToken.FindStringSubmatch(body); found != nil {
		o.token = html.UnescapeString(found[1])
	}

	return body, err
}

// post sends a form.
func (o *owner) post(ctx context.Context, path string, form url.Values) error {
	if form == nil {
		form = url.Values{}
	}
	form.Set("_csrf", o.token)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("send a form to %s: %w", path, err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, _, err = o.do(request, http.StatusSeeOther)

	return err
}

func (o *owner) upload(ctx context.Context, rows []sandbox.ContactRow) (string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	tokenErr := form.WriteField("_csrf", o.token)
	file, err := form.CreateFormFile("file", "customers.csv")
	if err := errors.Join(tokenErr, err); err != nil {
		return "", fmt.Errorf("write list: %w", err)
	}
	if err := errors.Join(sandbox.WriteContacts(file, rows), form.Close()); err != nil {
		return "", fmt.Errorf("write list: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.url+importPath, &body)
	if err != nil {
		return "", fmt.Errorf("send list: %w", err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	_, to, err := o.do(request, http.StatusSeeOther)

	return to, err
}

func (o *owner) do(request *http.Request, want int) (body, location string, err error) {
	response, err := o.client.Do(request)
	if err != nil {
		return "", "", fmt.Errorf("ask for %s: %w", request.URL.Path, err)
	}
	read, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return "", "", fmt.Errorf("read %s: %w", request.URL.Path, err)
	}
	if response.StatusCode != want {
		return "", "", fmt.Errorf("%s answered %d: %.300s", request.URL.Path, response.StatusCode, read)
	}

	return string(read), response.Header.Get("Location"), nil
}

// until waits for a list to come to a state.
func (o *owner) until(ctx context.Context, list, state string) error {
	for begun := time.Now(); time.Since(begun) < patience; {
		live, err := o.page(ctx, list+"/live")
		if err != nil {
			return err
		}
		if found := importState.FindStringSubmatch(live); found != nil && found[1] == state {
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}

	return fmt.Errorf("the list has not come to %q in %s", state, patience)
}

// unlisted takes the times off what only the list has told: they are those of the import, and no person's.
func (c *customer) unlisted(k *contact) {
	for i, a := range k.Identities {
		for j, id := range a.Identifiers {
			if during := func(t time.Time) bool { return !t.Before(c.listedFrom) && !t.After(c.listedTo) }; during(id.FirstSeen) {
				k.Identities[i].Identifiers[j].FirstSeen, k.Identities[i].Identifiers[j].LastSeen = time.Time{}, time.Time{}
			}
		}
	}
}
