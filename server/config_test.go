package server_test

import (
	"strings"
	"testing"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/server/config"
)

// Not parallel: the environment is the process's own.
func TestLoadConfig(t *testing.T) {
	cfg, err := config.Load()
	if err != nil || cfg.Listen != "127.0.0.1:8080" || cfg.Data != ".data" || cfg.KeyFile != ".data/master.key" {
		t.Errorf("want the defaults, got %+v, %v", cfg, err)
	}

	t.Setenv("PEHCHAN_PUBLIC_URL", "https://Pehchan.example/")
	t.Setenv("PEHCHAN_TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.1")
	if cfg, err = config.Load(); err != nil || cfg.PublicURL != "https://pehchan.example" || len(cfg.TrustedProxies) != 2 {
		t.Errorf("want the origin without what follows it, got %+v, %v", cfg, err)
	}

	for _, bad := range []struct{ name, value string }{
		{"PEHCHAN_LISTEN", "8080"},
		{"PEHCHAN_LISTEN", "127.0.0.1:eighty"},
		{"PEHCHAN_LISTEN", "127.0.0.1:70000"},
		{"PEHCHAN_METRICS_LISTEN", "nowhere"},
		{"PEHCHAN_PUBLIC_URL", "pehchan.example"},
		{"PEHCHAN_PUBLIC_URL", "ftp://pehchan.example"},
		{"PEHCHAN_PUBLIC_URL", "http://pehchan.example"},
		{"PEHCHAN_PUBLIC_URL", "https://pehchan.example/app"},
		{"PEHCHAN_PUBLIC_URL", "https://user:pw@pehchan.example"},
		{"PEHCHAN_GRAPH_URL", "graph"},
		{"PEHCHAN_SMTP_URL", "https://mail.example"},
		{"PEHCHAN_SIGNUP_APP", "platform"}, // without PEHCHAN_SIGNUP_CONFIG
		{"PEHCHAN_SIGNUP_CONFIG", "777"},
		{"PEHCHAN_SIGNUP_SDK_URL", "sdk.js"},
		{"PEHCHAN_SIGNUP_SDK_URL", "http://scripts.example/sdk.js"},
		{"DATABASE_URL", "mysql://host/db"},
		{"PEHCHAN_OWNER_URL", "nonsense"},
		{"DATABASE_URL", "postgres://user:hidden%zz@host/db"},
		{"DATABASE_URL", "postgresql://user:hid den@host/db"},
		{"PEHCHAN_OWNER_URL", "postgres://user:hidden@host:port/db"},
		{"PEHCHAN_TRUSTED_PROXIES", "10.0.0.0/8,proxy"},
		{"PEHCHAN_FORWARD_ALLOW", "10.0.0.7"},
	} {
		t.Run(bad.name+" "+bad.value, func(t *testing.T) {
			t.Setenv(bad.name, bad.value)
			_, err := config.Load()
			if err == nil || !strings.Contains(err.Error(), bad.name) {
				t.Errorf("want %s named, got %v", bad.name, err)
			}
			if err != nil && (strings.Contains(err.Error(), ":pw@") || strings.Contains(err.Error(), "hid")) {
				t.Errorf("want no password in the error, got %v", err)
			}
		})
	}
}

func TestPlainHTTPForOthersIsRefused(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	for listen, ok := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, ":0": true, "0.0.0.0:0": true, "[::1]:0": true, "192.0.2.1:80": false} {
		_, err := server.New(config.Config{Listen: listen, Data: t.TempDir()}, st.deps(t))
		if (err == nil) != ok {
			t.Errorf("%s: want accepted %v, got %v", listen, ok, err)
		}
	}
}
