package server_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Cases 28, 57 and 58: what is refused is refused before it takes memory. What the whole process sets aside meanwhile is counted, so nothing
// else runs beside this test.
func TestWhatIsRefusedTakesNoMemory(t *testing.T) { //nolint:paralleltest // it counts what the whole process sets aside
	st := newHookSite(t)
	address, stop := st.listen(t, config.Config{})
	defer func() { _ = stop() }()
	at := strings.TrimPrefix(address, "http://")
	const mib = 1 << 20
	head := func(path string, more ...string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n" + strings.Join(more, "\r\n") + "\r\n\r\n"
	}
	// send writes the head and then n times a piece, as far as the server takes it, and returns how the answer begins.
	send := func(head, piece string, n int) string {
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(conn, head)
		for i := 0; i < n && err == nil; i++ {
			_, err = io.WriteString(conn, piece)
		}
		first := make([]byte, 12)
		_, _ = io.ReadFull(conn, first)

		return strings.TrimRight(string(first), "\x00")
	}
	taken := func(do func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)

		return after.TotalAlloc - before.TotalAlloc
	}

	var bomb bytes.Buffer
	packed := gzip.NewWriter(&bomb)
	for range 64 {
		_, _ = packed.Write(bytes.Repeat([]byte(" "), mib))
	}
	_ = packed.Close()
	sign := "X-Hub-Signature-256: " + whatsapp.Sign([]byte("app-secret-of-demo"), bomb.Bytes())
	zeros := strings.Repeat("0", 64<<10)
	send(head(hook, "Content-Length: 2"), "{}", 1) // whatever the first request sets up

	for _, c := range []struct {
		what, head, piece string
		pieces            int
		most              uint64
	}{
		{"a token of a megabyte of dots", head("/api/v1/contacts", "Authorization: Bearer "+strings.Repeat(".", mib), "Content-Length: 0"), "", 0, 8 * mib},
		{"a cookie of dots", head("/team", "Cookie: "+sessionCookie+"="+strings.Repeat(".", 6<<10), "Content-Length: 0"), "", 0, 2 * mib},
		{"a bomb", head(hook, sign, "Content-Encoding: gzip", fmt.Sprint("Content-Length: ", bomb.Len())), bomb.String(), 1, 4 * mib},
		{"two layers of it", head(hook, sign, "Content-Encoding: gzip, gzip, br", fmt.Sprint("Content-Length: ", bomb.Len())), bomb.String(), 1, 4 * mib},
		{"a hundred megabytes", head(hook, "Content-Length: 104857600"), zeros, 1600, 64 * mib},
		{"a hundred megabytes in chunks", head(hook, "Transfer-Encoding: chunked"), "10000\r\n" + zeros + "\r\n", 1600, 64 * mib},
		{"a list of a hundred megabytes, of nobody", head("/contacts/import", "Content-Length: 104857600"), zeros, 1600, 64 * mib},
	} {
		var got string
		aside := taken(func() { got = send(c.head, c.piece, c.pieces) })
		if strings.HasPrefix(got, "HTTP/1.1 2") || strings.HasPrefix(got, "HTTP/1.1 5") {
			t.Errorf("%s: want it refused, got %q", c.what, got)
		}
		if aside > c.most {
			t.Errorf("%s took %d bytes, want %d at most", c.what, aside, c.most)
		}
	}
	if n := st.stored(t); n != 0 {
		t.Errorf("%d deliveries stored, want none", n)
	}
	if r := st.deliver(t, hook, "{}", signed("app-secret-of-demo", "{}")); r.status != http.StatusOK {
		t.Errorf("afterwards: want deliveries taken, got %d", r.status)
	}
}
