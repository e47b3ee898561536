package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// MaxMedia is the size in bytes of the largest file that is fetched for a person to see.
	MaxMedia = 32 << 20
	// MediaDays is how many days WhatsApp keeps a file that a customer sent. Source: domain facts 3.2.
	MediaDays = 7

	mediaTimeout = 2 * time.Minute
)

// ErrMedia says that a file cannot be had: it is too large, or lies where no token may go.
var ErrMedia = errors.New("media cannot be fetched")

// mediaHosts are where Meta keeps files, besides Graph itself. Source: domain payload 012.
var mediaHosts = []string{"lookaside.fbsbx.com"}

// OpenMedia begins to fetch a file by its media id. The caller closes it. It ends with ErrMedia after MaxMedia bytes, or where its
// address is not one of Meta's; the token goes to no other host, and no redirect is followed. Cancelling ctx ends the fetch.
func (g Graph) OpenMedia(ctx context.Context, token, mediaID string) (io.ReadCloser, error) {
	var where struct {
		URL  string `json:"url"`
		Size int64  `json:"file_size"`
	}
	if err := g.do(ctx, call{method: http.MethodGet, path: node(mediaID), token: token}, &where); err != nil {
		return nil, fmt.Errorf("ask for media: %w", err)
	}
	if where.Size > MaxMedia || !g.holdsMedia(where.URL) {
		return nil, ErrMedia
	}

	ctx, cancel := context.WithTimeout(ctx, mediaTimeout)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where.URL, nil)
	if err != nil {
		cancel()
		return nil, ErrMedia
	}
	request.Header.Set("Authorization", "Bearer "+token)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if g.HTTP != nil {
		client.Transport = g.HTTP.Transport
	}
	response, err := client.Do(request) //nolint:bodyclose // closed with the media that is returned
	if err != nil {
		cancel()
		// *url.Error repeats the address, which opens the file.
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return nil, fmt.Errorf("fetch media: %w", err)
	}
	body := &media{from: response.Body, left: MaxMedia, end: cancel}
	if response.StatusCode != http.StatusOK || response.ContentLength > MaxMedia {
		body.Close() //nolint:errcheck // the refusal is what is told
		return nil, fmt.Errorf("fetch media: status %d: %w", response.StatusCode, ErrMedia)
	}
	return body, nil
}

// holdsMedia tells whether an address is one of Meta's: Graph's own, or a host for files over https.
func (g Graph) holdsMedia(address string) bool {
	u, err := url.Parse(address)
	base, baseErr := url.Parse(g.BaseURL)
	if err != nil || baseErr != nil || u.User != nil || u.Host == "" {
		return false
	}
	if u.Scheme == base.Scheme && strings.EqualFold(u.Host, base.Host) {
		return true
	}
	return u.Scheme == "https" && slices.Contains(mediaHosts, strings.ToLower(u.Host))
}

// media is the body of a file, up to a size.
type media struct {
	from io.ReadCloser
	left int64
	end  context.CancelFunc
}

// Read reads on. A file that goes on beyond its size is an error, never a file cut short.
func (m *media) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	if m.left -= int64(n); m.left < 0 {
		return 0, ErrMedia
	}
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}

// Close ends the fetch.
func (m *media) Close() error {
	defer m.end()
	return m.from.Close()
}
