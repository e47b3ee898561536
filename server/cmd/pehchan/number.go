package main

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants/numbers"
)

type numberConnectCmd struct {
	Tenant        string `required:"" help:"Slug of the business."`
	App           string `required:"" help:"Name of the Meta app its webhooks come through."`
	WABAID        string `required:"" name:"waba-id" help:"WhatsApp Business account id."`
	PhoneNumberID string `required:"" name:"phone-number-id" help:"The number's id at Meta."`
	DisplayPhone  string `required:"" name:"display-phone" help:"The number as people dial it."`
	PortfolioID   string `name:"portfolio-id" help:"Business portfolio id; without it, what Graph says."`
	Unconfirmed   bool   `help:"Do not ask Graph; the number is shown as unconfirmed."`
}

// Run connects a number to a business.
func (c numberConnectCmd) Run(ctx context.Context, out *console) (err error) {
	var secret struct {
		AccessToken string `json:"access_token"`
	}
	if err := out.object(&secret); err != nil {
		return err
	}

	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	tenant, err := in.tenant(ctx, c.Tenant)
	if err != nil {
		return err
	}
	number, err := numbers.Connect(ctx, in.db, in.keys, in.Graph(), command.Actor, tenant, numbers.ConnectInput{
		App: c.App, WABAID: c.WABAID, PhoneNumberID: c.PhoneNumberID, DisplayPhone: c.DisplayPhone, PortfolioID: c.PortfolioID,
		AccessToken: secret.AccessToken, PublicURL: publicURL(in.Config), Unconfirmed: c.Unconfirmed,
	})
	if err != nil {
		return err
	}

	return out.answer(map[string]any{"number_id": number.ID, "state": number.State},
		"number %s connected to %s, state %s", number.PhoneNumberID, c.Tenant, number.State)
}

// publicURL is the origin under which webhooks arrive: the configured one, else that of the listen address.
func publicURL(cfg config.Config) string {
	if cfg.PublicURL != "" {
		return cfg.PublicURL
	}

	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return "http://" + cfg.Listen
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost"
	}

	return "http://" + net.JoinHostPort(host, port)
}
