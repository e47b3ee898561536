package teller

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	signinpages "github.com/pehchan/pehchan/views/signin"
)

// queueFactor tells somebody of a change to their second factor.
func (t *Teller) queueFactor(ctx context.Context, tx *tenants.Tx, j telling) error {
	to, err := access.PersonToTell(ctx, tx, j.About.UUID)
	if err != nil {
		return err
	}
	ctx = InLanguage(ctx, to, "en", time.UTC)

	return Queue(ctx, tx, t.keys, to.Email, "second factor "+j.ID.String(), signinpages.FactorMail(ctx, j.Whose, t.link(web.SecurityPath)))
}

// WaysIn is what gets into somebody's account besides the password, in a System transaction: whoever changed that, or the e-mail, may have
// left themselves another.
func WaysIn(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (signinpages.WaysIn, error) {
	has, err := access.FactorsOf(ctx, tx, access.Member{Person: access.Person{ID: person}})
	if err != nil {
		return signinpages.WaysIn{}, err
	}

	return signinpages.WaysIn{App: has.App, Passkeys: PasskeysShown(has), Codes: has.Codes}, nil
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
	zone, err := time.LoadLocation(web.HomeZone)
	if err != nil {
		return err
	}
	ctx = InLanguage(ctx, to, "en", zone)
	m := signinpages.SignInMail(ctx, signinpages.Device{Agent: in.Agent, Address: in.Address, Place: in.Place, Since: in.Since}, t.link("/settings#devices"))

	return Queue(ctx, tx, t.keys, to.Email, "sign-in "+j.ID.String(), m)
}

// PasskeysShown are somebody's passkeys as a page or a mail names them.
func PasskeysShown(has access.Factors) []signinpages.Passkey {
	list := make([]signinpages.Passkey, len(has.Keys))
	for i, k := range has.Keys {
		list[i] = signinpages.Passkey{Handle: k.Handle, Name: k.Name, Added: k.Added}
		if k.Used != nil {
			list[i].Used = *k.Used
		}
	}

	return list
}
