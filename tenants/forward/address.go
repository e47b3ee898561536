package forward

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"code.dny.dev/ssrf"

	"github.com/pehchan/pehchan/tenants"
)

const maxAddress = 500

// ports are those that may be asked; what else listens on a machine is nobody's webhook.
var ports = []uint16{443, 8443}

// Doors says where forwards may go: to every public address over https, and to those in Inner, which whoever runs the installation has
// allowed besides, over http too.
type Doors struct{ Inner []netip.AddrPort }

// Check reads an address that somebody typed. What cannot be one is Invalid "address". Whether it leads to where nothing may be sent is
// seen when it is called, for names change where they lead.
func (d Doors) Check(typed string) (*url.URL, error) {
	bad := func(key string) (*url.URL, error) { return nil, &tenants.Invalid{Field: "address", Key: key} }
	typed = strings.TrimSpace(typed)
	switch {
	case typed == "":
		return bad("missing")
	case len(typed) > maxAddress:
		return bad("address_long")
	case strings.ContainsFunc(typed, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }):
		return bad("forward_address")
	}
	u, err := url.Parse(typed)
	if err != nil || u.Host == "" || u.Opaque != "" || u.Fragment != "" {
		return bad("forward_address")
	}
	if u.User != nil {
		return bad("forward_userinfo")
	}
	if path, err := url.PathUnescape(u.EscapedPath()); err != nil || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return bad("forward_address")
	}
	if d.inner(u) {
		return u, nil
	}
	if u.Scheme != "https" {
		return bad("forward_https")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || !slices.Contains(ports, uint16(n)) {
			return bad("forward_port")
		}
	}
	// A machine by its number, however it is written, has no certificate that says whose it is.
	name := strings.TrimSuffix(u.Hostname(), ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	if _, err := netip.ParseAddr(name); err == nil || last == name || strings.Trim(last, "0123456789") == "" {
		return bad("forward_name")
	}

	return u, nil
}

// inner tells whether an address is one of Inner, written as its number.
func (d Doors) inner(u *url.URL) bool {
	at, err := netip.ParseAddrPort(u.Host)

	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && slices.Contains(d.Inner, at)
}

// guard refuses a connection to where nothing may be sent, by the address that the name has led to.
func (d Doors) guard(network, address string) error {
	if at, err := netip.ParseAddrPort(address); err == nil && slices.Contains(d.Inner, at) {
		return nil
	}

	return ssrf.New(ssrf.WithPorts(ports...)).Safe(network, address, nil) //nolint:wrapcheck // nobody is told which
}
