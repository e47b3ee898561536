package whatsapp_test

import (
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestBSUIDForms(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("a1B2", 32)
	for _, c := range []struct {
		id            string
		bsuid, parent bool
	}{
		{"US.13491208655302741918", true, false},
		{"SG.4A9fQ2LmT0b77Zx81", true, false},
		{"IN.1", true, false},
		{"GH." + long, true, false},
		{"GH." + long + "x", false, false},
		{"IN.ENT.5581200934417706", false, true},
		{"IN.ENT." + long, false, true},
		{"IN.ENT." + long + "x", false, false},
		{"IN.ENT.", false, false},
		{"IN.ENT", true, false},
		{"in.123", false, false},
		{"IN.", false, false},
		{"IN.12 3", false, false},
		{" IN.123", false, false},
		{"IN.123\n", false, false},
		{"IN.नमस्ते", false, false},
		{"uUS.123", false, false},
		{"foo_bar", false, false},
		{"919800000101", false, false},
		{"", false, false},
	} {
		if got := whatsapp.IsBSUID(c.id); got != c.bsuid {
			t.Errorf("IsBSUID(%q): got %v, want %v", c.id, got, c.bsuid)
		}
		if got := whatsapp.IsParentBSUID(c.id); got != c.parent {
			t.Errorf("IsParentBSUID(%q): got %v, want %v", c.id, got, c.parent)
		}
		if _, ok := whatsapp.Phone(c.id); ok && (c.bsuid || c.parent) {
			t.Errorf("Phone(%q): got ok, want an id never to pass for a phone", c.id)
		}
	}
}

func TestPhoneVariantsShareOneKey(t *testing.T) {
	t.Parallel()

	for _, c := range []struct{ raw, want string }{
		{"919800000101", "919800000101"},
		{"+919800000101", "919800000101"},
		{"0919800000101", "0919800000101"}, // a zero is stripped on import only
		{"551187654321", "5511987654321"},
		{"5511987654321", "5511987654321"},
		{"551132654321", "551132654321"}, // a landline has no ninth digit
		{"5511932654321", "5511932654321"},
		{"551087654321", "551087654321"}, // no Brazilian area has a zero
		{"541123456789", "5491123456789"},
		{"5491123456789", "5491123456789"},
		{"54112345678", "54112345678"}, // too short to be one
		{"5215512345678", "525512345678"},
		{"525512345678", "525512345678"},
		{"521551234567", "521551234567"},
		{"2250712345678", "2250712345678"},
		{"1234", "1234"},
		{"123456789012345", "123456789012345"},
	} {
		got, ok := whatsapp.Phone(c.raw)
		if !ok || got != c.want {
			t.Errorf("Phone(%q): got %q, %v, want %q", c.raw, got, ok, c.want)
		}
		if again, ok := whatsapp.Phone(got); !ok || again != got {
			t.Errorf("Phone(%q): got %q, %v, want itself", got, again, ok)
		}
	}
	for _, raw := range []string{
		"", "+", "123", "1234567890123456", "EG.1349208655302741918", "1349 2086", "hidden", "++919800000101",
		"91-9800000101", "९१९८०००००१०१", "my number is 919800000101", "919800000101\x00", "US.1234",
	} {
		if got, ok := whatsapp.Phone(raw); ok {
			t.Errorf("Phone(%q): got %q, want refused", raw, got)
		}
	}
}

func TestTypedPhones(t *testing.T) {
	t.Parallel()

	for _, c := range []struct{ raw, country, want string }{
		{"98000 00101", "IN", "919800000101"},
		{"098000-00101", "IN", "919800000101"},
		{"+91 98000 00101", "", "919800000101"},
		{"+91 (0) 98000 00101", "IN", "919800000101"},
		{"0091 9800000101", "IN", "919800000101"},
		{"919800000101", "in", "919800000101"},
		{"919800000101", "", "919800000101"},
		{"९८०००००१०१", "IN", "919800000101"},
		{"+57 300 0000303", "IN", "573000000303"},
		{"573000000303", "IN", "573000000303"},
		{"+55 11 98765-4321", "IN", "5511987654321"},
		{"+52 1 55 1234 5678", "IN", "525512345678"},
		{"+54 9 11 2345-6789", "IN", "5491123456789"},
	} {
		if got, ok := whatsapp.TypedPhone(c.raw, c.country); !ok || got != c.want {
			t.Errorf("TypedPhone(%q, %q): got %q, %v, want %q", c.raw, c.country, got, ok, c.want)
		}
	}
	for _, raw := range []string{"", "12345", "my number is 9800000101", "98000 00101 home", "1800FLOWERS", "IN.7704418820035512", "98000001010000000000000000"} {
		if got, ok := whatsapp.TypedPhone(raw, "IN"); ok {
			t.Errorf("TypedPhone(%q): got %q, want refused", raw, got)
		}
	}
}

func TestUsernames(t *testing.T) {
	t.Parallel()

	for _, c := range []struct{ raw, display, folded string }{
		{"pablomorales", "pablomorales", "pablomorales"},
		{"@Asha.Verma_1", "Asha.Verma_1", "asha.verma_1"},
		{"@@x", "@x", "@x"},
		{"", "", ""},
	} {
		if display, folded := whatsapp.Username(c.raw); display != c.display || folded != c.folded {
			t.Errorf("Username(%q): got %q, %q, want %q, %q", c.raw, display, folded, c.display, c.folded)
		}
	}
}
