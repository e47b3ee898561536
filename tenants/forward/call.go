package forward

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	connectTimeout = 3 * time.Second
	callTimeout    = 10 * time.Second
	headerBytes    = 16 << 10
	answerBytes    = 1 << 10

	// unreachableTakes is how long a call takes that reaches nobody, whatever the cause: else it would tell what listens where.
	unreachableTakes = connectTimeout + time.Second
)

// outcome is what came of a call. reason is empty where it was taken.
type outcome struct {
	reason string
	status int
	answer string
}

// caller makes the calls.
type caller struct {
	client *http.Client
	takes  time.Duration // see unreachableTakes
}

// newCaller makes a caller for the doors. Of the environment's proxies it knows nothing; redirects it does not follow; what is packed it does
// not unpack.
func newCaller(d Doors) caller {
	dialer := &net.Dialer{
		Timeout:  connectTimeout,
		Resolver: &net.Resolver{PreferGo: true},
		Control:  func(network, address string, _ syscall.RawConn) error { return d.guard(network, address) },
	}

	return caller{takes: unreachableTakes, client: &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, DisableCompression: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: connectTimeout, MaxResponseHeaderBytes: headerBytes, MaxIdleConnsPerHost: atOnce, IdleConnTimeout: 30 * time.Second,
			ForceAttemptHTTP2: true,
		},
	}}
}

// call posts a parcel.
func (c caller) call(ctx context.Context, address string, p parcel) outcome {
	began := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(p.body))
	if err != nil {
		return outcome{reason: Unreachable}
	}
	p.sign(request.Header, began)
	response, err := c.client.Do(request)
	if err != nil {
		reason := whyNot(err)
		if reason == Unreachable {
			wait(ctx, c.takes-time.Since(began))
		}

		return outcome{reason: reason}
	}
	defer func() { _ = response.Body.Close() }()

	answer, err := io.ReadAll(io.LimitReader(response.Body, answerBytes))
	o := outcome{status: response.StatusCode, answer: readable(answer)}
	switch {
	case response.StatusCode >= 200 && response.StatusCode < 300:
		return outcome{status: response.StatusCode} // taken, however the answer goes on
	case response.StatusCode >= 300 && response.StatusCode < 400:
		o.reason, o.answer = Redirected, ""
	case err != nil:
		o.reason = Slow
	default:
		o.reason = BadStatus
	}

	return o
}

// whyNot is the reason of a call without an answer.
func whyNot(err error) string {
	var (
		op      *net.OpError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		cert    *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &cert), errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid), errors.As(err, &record), errors.As(err, &alert):
		return BadTLS
	case errors.As(err, &op) && op.Op == "dial":
		return Unreachable
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return Slow
	default:
		return Unreachable
	}
}

// readable is the beginning of an answer as one line of text, for a person to read and nothing else. It may quote what was posted, so phones in
// it are dots.
func readable(answer []byte) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}

		return r
	}, strings.ToValidUTF8(string(answer), ""))

	return whatsapp.MaskPhones(strings.Join(strings.Fields(text), " "))
}

// parcel is what is posted.
type parcel struct {
	id      string
	secrets []string // that sign, the newest first
	headers map[string]string
	body    []byte
}

// sign writes all headers of a parcel as it is posted at a time.
func (p parcel) sign(h http.Header, at time.Time) {
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Pehchan-Forward/1")
	for name, value := range p.headers {
		h.Set(name, value)
	}
	h.Set(webhooks.HeaderWebhookID, p.id)
	h.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	var signatures []string
	for _, secret := range p.secrets {
		by, err := webhooks.NewWebhook(secret)
		if err != nil {
			continue // no secret of ours
		}
		if signature, err := by.Sign(p.id, at, p.body); err == nil {
			signatures = append(signatures, signature)
		}
	}
	h.Set(webhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	if len(p.secrets) > 0 {
		mac := hmac.New(sha256.New, []byte(p.secrets[0]))
		mac.Write(p.body)
		h.Set("X-Hub-Signature-256", fmt.Sprint("sha256=", hex.EncodeToString(mac.Sum(nil))))
	}
}
