package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

const (
	demoApp      = "demo"
	demoOperator = "operator@pehchan.example"
)

// business is one of the demo's tenants, with the sandbox's numbers that are its own.
type business struct {
	slug, name string
	numbers    []sandbox.Number
	people     int // who write to it before the demo begins
	events     int // in the same time
	tenant     uuid.UUID
}

// demo is the demo world: what a file in PEHCHAN_DATA remembers of it, and what was found in the database.
type demo struct {
	memory
	file       string
	businesses []business
	app        numbers.Credentials
}

// memory is all that the database does not hold of the demo. Password is "" where the file was lost.
type memory struct {
	Password string    `json:"password"`
	Present  time.Time `json:"present"` // where the told past ends
	Told     bool      `json:"told"`    // the past was delivered in full
}

func demoBusinesses() []business {
	known := sandbox.Known().Numbers

	return []business{
		{slug: "asha-clinic", name: "Asha Clinic", numbers: known[0:2], people: 60, events: 600},
		{slug: "ravi-motors", name: "Ravi Motors", numbers: known[2:3], people: 40, events: 300},
	}
}

// openDemo makes sure that the demo's businesses, logins and app are there, through the same functions as the commands.
func openDemo(ctx context.Context, in *installation) (*demo, error) {
	d := &demo{file: filepath.Join(in.Data, "demo.json"), businesses: demoBusinesses()}
	if err := d.remember(ctx, in); err != nil {
		return nil, err
	}

	group, opening := errgroup.WithContext(ctx)
	for i := range d.businesses {
		group.Go(func() error {
			if err := d.businesses[i].open(opening, in, d.Password); err != nil {
				return fmt.Errorf("set up the demo's %s: %w", d.businesses[i].slug, err)
			}

			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if d.Password != "" && !d.Told {
		operator := access.NewPerson{Email: demoOperator, Name: "Operator", Password: d.Password}
		if _, err := access.AddOperator(ctx, in.db, command, operator, "admin"); err != nil {
			return nil, fmt.Errorf("set up the demo's operator: %w", err)
		}
	}

	var err error
	if d.app, err = openApp(ctx, in); err != nil {
		return nil, fmt.Errorf("set up the demo's app: %w", err)
	}

	return d, nil
}

// remember reads the file, or begins it where the demo is new.
func (d *demo) remember(ctx context.Context, in *installation) error {
	_, err := in.tenant(ctx, d.businesses[0].slug)
	exists := err == nil

	raw, err := os.ReadFile(d.file)
	switch {
	case err == nil && exists:
		if err := json.Unmarshal(raw, &d.memory); err != nil {
			return fmt.Errorf("read %s: %w", d.file, err)
		}

		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read the demo's file: %w", err)
	case exists:
		// Its businesses live on in a database that outlived the file.
		d.memory = memory{Told: true}

		return nil
	}

	d.memory = memory{Password: "demo-" + strings.ToLower(rand.Text()[:12]), Present: time.Now().UTC().Truncate(time.Second)}

	return d.save()
}

func (d *demo) save() error {
	raw, err := json.MarshalIndent(d.memory, "", "  ") //nolint:gosec // the demo's password, in a file for its owner alone
	if err != nil {
		return fmt.Errorf("encode the demo's file: %w", err)
	}
	fresh := d.file + ".new"
	if err := os.WriteFile(fresh, raw, 0o600); err != nil {
		return fmt.Errorf("write the demo's file: %w", err)
	}
	if err := os.Rename(fresh, d.file); err != nil {
		return fmt.Errorf("write the demo's file: %w", err)
	}

	return nil
}

// login is the e-mail of the business's person with a role.
func (b business) login(role string) string { return role + "@" + b.slug + ".example" }

// open finds the business or makes it, with one person in each role.
func (b *business) open(ctx context.Context, in *installation, password string) error {
	var (
		found tenants.Tenant
		err   error
	)
	lookErr := in.db.System(ctx, func(tx *tenants.Tx) error {
		found, err = access.TenantBySlug(ctx, tx, b.slug)
		return err
	})
	if lookErr != nil && !errors.Is(lookErr, tenants.ErrNotFound) {
		return lookErr
	}
	if lookErr == nil && !found.Demo {
		return errors.New("a business of this name is here that is not the demo's; start with --no-demo")
	}
	if lookErr != nil {
		owner := access.NewPerson{Email: b.login(access.Owner), Name: "Owner", Password: password}
		found, err = access.AddTenant(ctx, in.db, command, access.NewTenant{Slug: b.slug, Name: b.name, Demo: true, Owner: owner})
		if err != nil {
			return err
		}
	}
	b.tenant = found.ID
	if password == "" {
		return nil
	}

	for _, role := range access.Roles() {
		person := access.NewPerson{Email: b.login(role), Password: password}
		_, err := access.AddMember(ctx, in.db, b.tenant, command, person, role)
		if err != nil && tenants.ConflictCode(err) != "already_member" {
			return err
		}
	}

	return nil
}

// openApp finds the platform's demo app or makes it, and returns its secrets.
func openApp(ctx context.Context, in *installation) (app numbers.Credentials, err error) {
	err = in.db.System(ctx, func(tx *tenants.Tx) error {
		app, err = numbers.AppByName(ctx, tx, in.keys, demoApp)
		if !errors.Is(err, tenants.ErrNotFound) {
			return err
		}
		_, err = numbers.AddApp(ctx, tx, in.keys, command.Actor, numbers.AppInput{
			Name: demoApp, MetaAppID: sandbox.Known().AppID, AppSecret: rand.Text(), VerifyToken: rand.Text(),
		})
		if err != nil {
			return err
		}
		app, err = numbers.AppByName(ctx, tx, in.keys, demoApp)

		return err
	})

	return app, err
}

// introduce prints where everything is.
func (d *demo) introduce(out *console, in *installation, url string) error {
	hook := url + numbers.HookPath(demoApp)
	if len(d.businesses) == 0 {
		return out.answer(map[string]any{"listening": url, "graph_url": in.GraphURL},
			"an empty platform; WhatsApp's stand-in: %s", in.GraphURL)
	}

	shown := d.Password
	if shown == "" {
		shown = "(as when this demo was made)"
	}
	logins := []string{}
	var lines strings.Builder
	for _, b := range d.businesses {
		fmt.Fprintf(&lines, "\n  %s:", b.name)
		for _, role := range access.Roles() {
			logins = append(logins, b.login(role))
			fmt.Fprintf(&lines, " %s", b.login(role))
		}
	}
	logins = append(logins, demoOperator)

	return out.answer(map[string]any{
		"listening": url, "logins": logins, "password": d.Password, "webhook_url": hook, "graph_url": in.GraphURL,
	}, "\nThe demo's logins, all with the password %s:%s\n  the platform: %s\nwebhook URL: %s\nWhatsApp's stand-in: %s",
		shown, lines.String(), demoOperator, hook, in.GraphURL)
}

// graphOptions make the stand-in for WhatsApp tell the demo's app of what is sent through it; an empty demo has no app.
func (d *demo) graphOptions(url string) sandbox.GraphOptions {
	if len(d.businesses) == 0 {
		return sandbox.GraphOptions{}
	}

	return sandbox.GraphOptions{
		AppSecret: d.app.Secrets[0], VerifyToken: d.app.VerifyTokens[0], CallbackURL: url + numbers.HookPath(demoApp),
	}
}
