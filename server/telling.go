package server

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/pages"
)

// queueFactor tells somebody of a change to their second factor.
func (t *Teller) queueFactor(ctx context.Context, tx *tenants.Tx, j telling) error {
	to, err := access.PersonToTell(ctx, tx, j.About.UUID)
	if err != nil {
		return err
	}
	ctx = inLanguage(ctx, to, "en", time.UTC)

	return queueMail(ctx, tx, t.keys, to.Email, "second factor "+j.ID.String(), pages.FactorMail(ctx, j.Whose, t.link(securityPath)))
}

// waysIn is what gets into somebody's account besides the password, in a System transaction: whoever changed that, or the e-mail, may have
// left themselves another.
func waysIn(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (pages.WaysIn, error) {
	has, err := access.FactorsOf(ctx, tx, access.Member{Person: access.Person{ID: person}})
	if err != nil {
		return pages.WaysIn{}, err
	}

	return pages.WaysIn{App: has.App, Passkeys: passkeysShown(has), Codes: has.Codes}, nil
}

// queueSignIn tells somebody of a sign-in from a browser that is new to them; where the session is swept already, nothing.
func (t *Teller) queueSignIn(ctx context.Context, tx *tenants.Tx, j telling) error {
	to, err := access.PersonToTell(ctx, tx, j.About.UUID)
	if err != nil {
		return err
	}
	in, err := access.SignInOf(ctx, tx, to.ID, j.Whose)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(homeZone)
	if err != nil {
		return err
	}
	ctx = inLanguage(ctx, to, "en", zone)
	m := pages.SignInMail(ctx, pages.Device{Agent: in.Agent, Address: in.Address, Place: in.Place, Since: in.Since}, t.link("/settings#devices"))

	return queueMail(ctx, tx, t.keys, to.Email, "sign-in "+j.ID.String(), m)
}
