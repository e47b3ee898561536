package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

type sandboxCmd struct {
	Listen        string `default:"127.0.0.1:8090" help:"Address to answer on; port 0 picks one."`
	Callback      string `help:"Webhook URL that is told of messages sent; without it only callbacks on this machine are called."`
	AppSecretFile string `name:"app-secret-file" help:"File with the app secret that signs what the callback is told; without it, nothing is."`
}

// Run answers as WhatsApp's Graph API would until ctx ends.
func (c sandboxCmd) Run(ctx context.Context, out *console) error {
	options := sandbox.GraphOptions{CallbackURL: c.Callback}
	if c.AppSecretFile != "" {
		secret, err := secretFile(c.AppSecretFile)
		if err != nil {
			return err
		}
		options.AppSecret = secret
	}

	ln, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	graph := sandbox.NewGraph(options)
	defer graph.Close()
	stop := serveOn(ln, graph)
	defer stop()

	known, address := sandbox.Known(), "http://"+ln.Addr().String()
	var lines strings.Builder
	for _, n := range known.Numbers {
		fmt.Fprintf(&lines, "\nnumber %s: phone %s, WABA %s, portfolio %s (%s)", n.PhoneNumberID, n.DisplayPhone, n.WABAID, n.PortfolioID, n.VerifiedName)
	}
	for _, t := range known.Tokens {
		fmt.Fprintf(&lines, "\ntoken %s: %s", t.Token, t.State)
	}
	err = out.answer(map[string]any{
		"listening": address, "app_id": known.AppID, "numbers": known.Numbers, "tokens": known.Tokens, "deleted_phone_number_id": known.Deleted,
		"signup_config": sandbox.SignupConfig, "signup_sdk_url": address + sandbox.SDKPath,
	}, "listening on %s (set PEHCHAN_GRAPH_URL to it)\napp %s%s\nnumber %s: deleted, answers with error 33\nMeta's window: PEHCHAN_SIGNUP_CONFIG=%s PEHCHAN_SIGNUP_SDK_URL=%s",
		address, known.AppID, lines.String(), known.Deleted, sandbox.SignupConfig, address+sandbox.SDKPath)
	if err != nil {
		return fmt.Errorf("say the ids: %w", err)
	}
	<-ctx.Done()

	return nil
}

// secretFile reads a secret from a file, without the line end an editor leaves.
func secretFile(path string) ([]byte, error) {
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the app secret: %w", err)
	}
	if secret = bytes.TrimRight(secret, "\r\n"); len(secret) == 0 {
		return nil, errors.New("the app secret file is empty")
	}

	return secret, nil
}
