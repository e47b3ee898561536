package access

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Preferences are a person's own, in every tenant. An empty language or density means the tenant's.
type Preferences struct {
	Lang      string // en, hi
	Theme     string // system, light, dark
	Density   string // shop, team
	Shortcuts bool
}

// Preferences are those the person has now.
func (p Person) Preferences() Preferences {
	return Preferences{Lang: p.Lang, Theme: p.Theme, Density: p.Density, Shortcuts: p.Shortcuts}
}

// SetPreferences keeps a person's own settings, in a System transaction.
func SetPreferences(ctx context.Context, tx *tenants.Tx, person uuid.UUID, p Preferences) error {
	switch {
	case p.Lang != "" && p.Lang != "en" && p.Lang != "hi":
		return &tenants.Invalid{Field: "lang", Key: "choice"}
	case p.Theme != "system" && p.Theme != "light" && p.Theme != "dark":
		return &tenants.Invalid{Field: "theme", Key: "choice"}
	case p.Density != "" && p.Density != "shop" && p.Density != "team":
		return &tenants.Invalid{Field: "density", Key: "choice"}
	}

	_, err := tx.ExecContext(ctx, `
		UPDATE people SET lang = nullif($2, ''), theme = $3, density = nullif($4, ''), shortcuts = $5 WHERE id = $1`,
		person, p.Lang, p.Theme, p.Density, p.Shortcuts)
	if err != nil {
		return fmt.Errorf("keep preferences: %w", err)
	}

	return nil
}

// TenantSettings are what an owner sets for the whole business.
type TenantSettings struct {
	Name     string
	Lang     string // en, hi
	Timezone string // IANA name
	Density  string // shop, team
}

// ChangeTenant keeps the settings of tx's tenant.
func ChangeTenant(ctx context.Context, tx *tenants.Tx, by Member, in TenantSettings) error {
	if !by.Can("settings:edit") {
		return fmt.Errorf("change business settings: %w", tenants.ErrForbidden)
	}
	name, err := checkName(in.Name)
	if err != nil {
		return err
	}
	if in.Lang != "en" && in.Lang != "hi" {
		return &tenants.Invalid{Field: "lang", Key: "choice"}
	}
	if in.Density != "shop" && in.Density != "team" {
		return &tenants.Invalid{Field: "density", Key: "choice"}
	}
	if _, err := time.LoadLocation(in.Timezone); err != nil || in.Timezone == "" || in.Timezone == "Local" {
		return &tenants.Invalid{Field: "timezone", Key: "timezone"}
	}

	var before tenants.Tenant
	err = tx.GetContext(ctx, &before, `SELECT `+tenantColumns+` FROM tenants WHERE id = $1 FOR UPDATE`, tx.Tenant)
	if err != nil {
		return fmt.Errorf("read business settings: %w", err)
	}
	_, err = tx.ExecContext(ctx, `UPDATE tenants SET name = $2, lang = $3, timezone = $4, density = $5 WHERE id = $1`,
		tx.Tenant, name, in.Lang, in.Timezone, in.Density)
	if err != nil {
		return fmt.Errorf("keep business settings: %w", err)
	}

	was := TenantSettings{Name: before.Name, Lang: before.Lang, Timezone: before.Timezone, Density: before.Density}
	in.Name = name

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "tenant.change", ObjectKind: "tenant", ObjectID: tx.Tenant.String(),
		Detail: map[string]any{"before": was, "after": in},
	})
}
