package front

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/pehchan/pehchan/tenants/access"
)

const (
	pagesASecond = 10 // of one address, which may be that of many people
	pagesAtOnce  = 200
	mostVisitors = 20_000
)

// visitors counts the pages that were given to an address, on this server alone.
type visitors struct {
	mu        sync.Mutex
	byAddress map[netip.Prefix]*rate.Limiter
}

// take counts one page for an address, or for IPv6 its /64, and refuses it with TooMany where there were too many.
func (v *visitors) take(from netip.Addr, now time.Time) error {
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	key, err := from.WithZone("").Prefix(bits)
	if err != nil {
		key = netip.Prefix{} // all whose address is not known are one
	}

	v.mu.Lock()
	defer v.mu.Unlock()
	l := v.byAddress[key]
	if l == nil {
		if v.byAddress == nil || len(v.byAddress) >= mostVisitors {
			v.byAddress = map[netip.Prefix]*rate.Limiter{}
		}
		l = rate.NewLimiter(pagesASecond, pagesAtOnce)
		v.byAddress[key] = l
	}
	if !l.AllowN(now, 1) {
		return &access.TooMany{RetryAfter: time.Second}
	}

	return nil
}
