package whatsapp_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var vectorSecret = []byte("test_app_secret_do_not_use")

func TestSignatureVectors(t *testing.T) {
	t.Parallel()

	for pattern, want := range map[string]string{
		"001-*": "69f3a8ba8dc56638e999ab2b48b0a48311f2f7a1edcb46dcc82f570e96a32f39",
		"003-*": "67eb8a8387b2248d7c8fee405d8d745e2e09c33c4664fc8efa9ac8e824b0d21e",
		"052-*": "7eab48b0b5b88a3c8bdc0fe2c94f533f157f8bd52259840258faf27812257370",
	} {
		paths, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(paths) != 1 {
			t.Fatalf("%s: got %v (%v), want one file", pattern, paths, err)
		}
		body := payload(t, paths[0])
		if got := whatsapp.Sign(vectorSecret, body); got != "sha256="+want {
			t.Errorf("%s: got %s, want sha256=%s", paths[0], got, want)
		}
		if !whatsapp.VerifySignature("sha256="+want, body, vectorSecret) {
			t.Errorf("%s: the vector does not verify", paths[0])
		}
	}
}

func TestSignatureIsExact(t *testing.T) {
	t.Parallel()

	body := []byte(`{"text":"नमस्ते \ud83d\ude00 \/"}`)
	good := whatsapp.Sign(vectorSecret, body)
	hex := strings.TrimPrefix(good, "sha256=")

	for name, header := range map[string]string{
		"missing":       "",
		"prefix only":   "sha256=",
		"sha1":          "sha1=" + hex[:40],
		"63 digits":     good[:len(good)-1],
		"65 digits":     good + "0",
		"not hex":       "sha256=" + strings.Repeat("g", 64),
		"upper prefix":  "SHA256=" + hex,
		"leading space": " " + good,
		"comma list":    good + "," + good,
		"megabyte":      "sha256=" + strings.Repeat("a", 1<<20),
	} {
		if whatsapp.VerifySignature(header, body, vectorSecret) {
			t.Errorf("%s: got accepted, want refused", name)
		}
	}
	for name, changed := range map[string]string{
		"newline":    string(body) + "\n",
		"byte order": "\xEF\xBB\xBF" + string(body),
		"unescaped":  strings.ReplaceAll(string(body), `\/`, "/"),
		"padded":     string(body) + "\x80\x00\x00suffix",
	} {
		if whatsapp.VerifySignature(good, []byte(changed), vectorSecret) {
			t.Errorf("%s: got accepted, want refused", name)
		}
	}
	if !whatsapp.VerifySignature("sha256="+strings.ToUpper(hex), body, vectorSecret) {
		t.Error("upper-case hex: got refused, want accepted")
	}
}

func TestEveryLiveSecretVerifies(t *testing.T) {
	t.Parallel()

	body, old, current := []byte(`{}`), []byte("old-secret"), []byte("current-secret")
	signed := whatsapp.Sign(old, body)
	if !whatsapp.VerifySignature(signed, body, current, old) {
		t.Error("old secret while it lives: got refused, want accepted")
	}
	if whatsapp.VerifySignature(signed, body, current) {
		t.Error("old secret after it died: got accepted, want refused")
	}
	if whatsapp.VerifySignature(signed, body) {
		t.Error("no secret at all: got accepted, want refused")
	}
	if whatsapp.VerifySignature(whatsapp.Sign(nil, body), body, nil, []byte{}) {
		t.Error("empty secret: got accepted, want refused")
	}
}
