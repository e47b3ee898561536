package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// browsers are the names under which a Chromium may be installed, that without windows first.
var browsers = []string{
	"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
}

// browser is one Chromium for all tests of the package, started by the first that needs it; each tab has cookies of its own.
var browser = sync.OnceValues(func() (context.Context, error) {
	path := ""
	for _, name := range browsers {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, errors.New("the journeys need Chromium: run make install-test-deps, or apt-get install chromium fonts-noto-core")
	}

	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true),
		// What stands there as the client sets it, and the pages of the browser's own address bar: each new tab would load them, for
		// more than a second of the processor.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,"+
			"PreloadTopChromeWebUI,WebUIOmniboxPopup,WebUIOmniboxFullPopup,WebUIOmniboxAimPopup"),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's own sandbox refuses to run as root
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithLogf(quiet), chromedp.WithErrorf(quiet))
	closeBrowser = func() {
		cancel()
		stop()
	}
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}

	return ctx, nil
})

// closeBrowser ends the browser, where one was started.
var closeBrowser = func() {}

// quiet drops the client's own chatter: what matters comes back as an error.
func quiet(string, ...any) {}

// evidence is where failed tests leave a picture and the HTML of their page.
var evidence = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "pehchan-e2e-")
	if err != nil {
		return os.TempDir()
	}

	return dir
})

func TestMain(m *testing.M) {
	code := m.Run()
	closeBrowser()
	os.Exit(code)
}

// axeSource is axe-core, the judge of accessibility.
var axeSource = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile(filepath.Join("testdata", "axe.min.js"))

	return string(source), err
})
