package access_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// Who takes a change of e-mail back takes back the ways in as well that were added around it, and keeps their own.
func TestUndoEmailShutsTheIntruderOut(t *testing.T) {
	t.Parallel()
	h, keys := newHouse(t), keyring(t)
	m := h.memberOf(t, "asha")
	app := h.startApp(t, keys, m)
	if _, err := access.FinishApp(context.Background(), h.DB, keys, m, app.Secret, codeAt(t, app.Secret, 0)); err != nil {
		t.Fatal(err)
	}
	own := func(id, added string, person uuid.UUID) {
		h.exec(t, `INSERT INTO passkeys (id, person_id, name, credential, added_at) VALUES (convert_to($1, 'UTF8'), $2, $1, '{}', now() - $3::interval)`, id, person, added)
	}
	own("own", "30 days", h.asha)
	own("planted before", "2 days", h.asha)
	own("planted", "0 days", h.asha)
	own("somebody else's", "0 days", h.meera)

	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		_, link, err := access.AskEmail(ctx, tx, m, "thief@pehchan.example", netip.MustParseAddr("192.0.2.7"))
		if err != nil {
			return err
		}
		_, undo, err := access.FinishEmail(ctx, tx, m, link)
		if err != nil {
			return err
		}
		return second(access.UndoEmail(ctx, tx, undo))
	})
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		left, err := access.FactorsOf(ctx, tx, m)
		if err != nil {
			return err
		}
		if len(left.Keys) != 1 || left.Keys[0].Name != "own" || !left.App.IsZero() || left.Codes != 0 {
			t.Errorf("want the passkey of long ago alone, got %+v", left)
		}
		told := 0
		if err := tx.GetContext(ctx, &told, `
			SELECT count(*) FROM jobs WHERE kind = 'factor_changed' AND args->>'whose' = 'removed' AND args->>'person_id' = $1::text`, h.asha); err != nil {
			return err
		}
		if told != 1 {
			t.Errorf("want them told of it, got %d mails", told)
		}
		hers, err := access.FactorsOf(ctx, tx, access.Member{Person: access.Person{ID: h.meera}})
		if len(hers.Keys) != 1 {
			t.Error("want Meera's untouched")
		}
		return err
	})
}
