package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	graphConnectTimeout = 3 * time.Second
	graphTotalTimeout   = 10 * time.Second
	graphMaxResponse    = 1 << 20
	graphMaxHeader      = 64 << 10
	graphMaxMessage     = 512
)

// Graph calls Meta's Graph API, or the sandbox standing in for it.
type Graph struct {
	BaseURL string       // with the version: https://graph.facebook.com/v26.0
	HTTP    *http.Client // nil means NewHTTPClient's settings on a client of its own per call
}

// NewGraph returns a Graph for a base URL, with NewHTTPClient.
func NewGraph(baseURL string) Graph {
	return Graph{BaseURL: baseURL, HTTP: NewHTTPClient()}
}

// NewHTTPClient returns a client for Graph: 3 s to connect, 10 s in all, no
// redirect followed, so that a token never travels to another host.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Timeout: graphTotalTimeout,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: graphConnectTimeout}).DialContext,
			TLSHandshakeTimeout: graphConnectTimeout,
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     time.Minute,
			ForceAttemptHTTP2:   true,

			MaxResponseHeaderBytes: graphMaxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// errNotReached says that nothing of a call left this machine.
var errNotReached = errors.New("graph was not reached")

// GraphError is Graph's refusal of a call. Codes: domain facts 5.2; 190 is the
// token, 10 and 200 permissions, 33 or 100 with subcode 33 an unknown id.
type GraphError struct {
	Status        int // HTTP status
	Code, Subcode int // Graph's own codes; 0 where the answer held none
	Message       string
}

// Error names the codes and Graph's message, from which tokens are removed.
func (e *GraphError) Error() string {
	code := strconv.Itoa(e.Code)
	if e.Subcode != 0 {
		code += "/" + strconv.Itoa(e.Subcode)
	}
	return fmt.Sprintf("graph refused with status %d, code %s: %s", e.Status, code, e.Message)
}

// call is one request to Graph.
type call struct {
	method, path string // path without the base URL, its parts escaped
	query        url.Values
	token        string
	body         any // sent as JSON, nil for none
	secrets      []string
}

// do makes the call and reads the answer into out. Neither a transport error nor
// Graph's message is passed on with a token in it.
func (g Graph) do(ctx context.Context, c call, out any) error {
	ctx, cancel := context.WithTimeout(ctx, graphTotalTimeout)
	defer cancel()

	// Headers that were not even written cannot have been taken by anybody.
	var begun atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { begun.Store(true) }})
	request, err := g.request(ctx, c)
	if err != nil {
		return fmt.Errorf("build graph request: %w", err)
	}
	client := g.HTTP
	if client == nil {
		client = NewHTTPClient()
		defer client.CloseIdleConnections()
	}
	response, err := client.Do(request)
	if err != nil {
		// *url.Error repeats the address, which may hold a token.
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		if !begun.Load() {
			err = fmt.Errorf("%w: %w", errNotReached, err)
		}
		return fmt.Errorf("call graph %s %s: %w", c.method, c.path, err)
	}
	defer response.Body.Close()

	answer, err := io.ReadAll(io.LimitReader(response.Body, graphMaxResponse+1))
	if err != nil {
		return fmt.Errorf("read graph answer to %s %s: %w", c.method, c.path, err)
	}
	if len(answer) > graphMaxResponse {
		return fmt.Errorf("read graph answer to %s %s: larger than %d bytes", c.method, c.path, graphMaxResponse)
	}
	if refused := refusal(response.StatusCode, answer); refused != nil {
		refused.Message = truncate(c.scrub(refused.Message), graphMaxMessage)
		return refused
	}

	// A field of an unexpected type leaves its zero value; the rest is read.
	var odd *json.UnmarshalTypeError
	if err := json.Unmarshal(answer, out); err != nil && !errors.As(err, &odd) {
		return fmt.Errorf("decode graph answer to %s %s: not JSON", c.method, c.path)
	}
	return nil
}

func (g Graph) request(ctx context.Context, c call) (*http.Request, error) {
	address := strings.TrimSuffix(g.BaseURL, "/") + c.path
	if len(c.query) > 0 {
		address += "?" + c.query.Encode()
	}
	var body io.Reader
	if c.body != nil {
		encoded, err := json.Marshal(c.body)
		if err != nil {
			return nil, fmt.Errorf("encode body: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, c.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("address %s: malformed", c.path)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	request.Header.Set("Accept", "application/json")
	if c.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// refusal reads an answer as an error, nil where it is none.
func refusal(status int, answer []byte) *GraphError {
	outer, err := cutObject(answer)
	if err != nil {
		outer = fields{}
	}
	if !outer.has("error") {
		if status >= 200 && status < 300 {
			return nil
		}
		return &GraphError{Status: status, Message: http.StatusText(status)}
	}
	inner := outer.object("error")
	return &GraphError{
		Status: status, Code: inner.integer("code"), Subcode: inner.integer("error_subcode"),
		Message: first(inner.text("message"), http.StatusText(status)),
	}
}

func (c call) scrub(message string) string {
	for _, secret := range append([]string{c.token}, c.secrets...) {
		if secret != "" {
			message = strings.ReplaceAll(message, secret, "[token]")
		}
	}
	return message
}

func node(id string, edge ...string) string {
	return "/" + strings.Join(append([]string{url.PathEscape(id)}, edge...), "/")
}
