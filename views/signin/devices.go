// Package signin draws the way in: signing in, second steps, a new password or address, and devices.
package signin

import (
	"context"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/i18n"
)

// Device is one place where somebody is signed in.
type Device struct {
	Handle  string
	Agent   string // User-Agent, as the browser names itself
	Address string
	Place   string // the business
	Since   time.Time
	Seen    time.Time
	Here    bool
}

// browsers and systems are how a User-Agent names them, what must be asked first standing first: Edge and Opera call themselves Chrome
// too, and Chrome Safari.
var (
	browsers = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
	systems  = [][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}
)

// Name says what a device is, as far as the browser tells.
func (d Device) Name(ctx context.Context) string {
	find := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(d.Agent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	switch browser, system := find(browsers), find(systems); {
	case browser != "" && system != "":
		return i18n.T(ctx, "settings.device", "browser", browser, "system", system)
	case browser+system != "":
		return browser + system
	}
	return i18n.T(ctx, "settings.device_unknown")
}
