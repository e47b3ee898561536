package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// wabaDrift notes an item whose entry names another WABA than its number's.
const wabaDrift = "waba_drift"

// testEntry is the entry.id of what the test button of Meta's dashboard sends.
const testEntry = "0"

// address is all of an item that says whose it is.
type address struct {
	App           uuid.UUID `db:"app_id"`
	PhoneNumberID string    `db:"phone_number_id"`
	WABA          string    `db:"waba_id"`
	DisplayPhone  string    `db:"display_phone"`
}

// destination is where an item goes. The nil tenant is the platform.
type destination struct {
	tenant, number uuid.UUID
	state          string
	reason, note   string
}

// entry is an active number in the directory.
type entry struct {
	PhoneNumberID string    `db:"phone_number_id"`
	Tenant        uuid.UUID `db:"tenant_id"`
	Number        uuid.UUID `db:"number_id"`
	App           uuid.UUID `db:"app_id"`
	WABA          string    `db:"waba_id"`
	DisplayPhone  string    `db:"display_phone"`
}

// directory is what routing knows of the numbers and apps that a group of items names.
type directory struct {
	phones map[string]entry
	wabas  map[string][]entry
	shown  map[string][]entry      // by display number
	users  map[uuid.UUID]uuid.UUID // of an app that one tenant alone uses
}

// addressOf reads an item's address. A few events about partners carry the portfolio as entry.id and the WABA inside.
func addressOf(app uuid.UUID, it whatsapp.Item) address {
	a := address{App: app, PhoneNumberID: text(it.PhoneNumberID), WABA: text(it.EntryID), DisplayPhone: text(it.DisplayPhone)}
	if it.Kind != whatsapp.KindChange || it.PhoneNumberID != "" || it.Problem != "" || it.EntryID == testEntry {
		return a
	}

	var body struct {
		Item json.RawMessage `json:"item"`
	}
	var value struct {
		Info struct {
			WABA string `json:"waba_id"`
		} `json:"waba_info"`
	}
	if json.Unmarshal(it.Body, &body) == nil && json.Unmarshal(body.Item, &value) == nil && value.Info.WABA != "" {
		a.WABA = text(value.Info.WABA)
	}

	return a
}

// text makes s fit for a text column.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// lookUp reads the part of the directory that the addresses name.
func lookUp(ctx context.Context, tx *tenants.Tx, addresses []address) (directory, error) {
	phones, wabas, shown, apps := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[uuid.UUID]bool{}
	for _, a := range addresses {
		switch {
		case a.WABA == testEntry:
			apps[a.App] = true
		case a.PhoneNumberID != "":
			phones[a.PhoneNumberID] = true
		default:
			wabas[a.WABA] = true
			if a.DisplayPhone != "" {
				shown[a.DisplayPhone] = true
			}
		}
	}

	d := directory{phones: map[string]entry{}, wabas: map[string][]entry{}, shown: map[string][]entry{}, users: map[uuid.UUID]uuid.UUID{}}
	if len(phones)+len(wabas) > 0 {
		var entries []entry
		err := tx.SelectContext(ctx, &entries, `
			SELECT phone_number_id, tenant_id, number_id, app_id, waba_id, display_phone FROM number_directory
			WHERE until IS NULL AND (phone_number_id = ANY($1) OR waba_id = ANY($2) OR display_phone = ANY($3))
			ORDER BY tenant_id, number_id`, pq.Array(keysOf(phones)), pq.Array(keysOf(wabas)), pq.Array(keysOf(shown)))
		if err != nil {
			return directory{}, fmt.Errorf("look up numbers: %w", err)
		}
		for _, e := range entries {
			d.phones[e.PhoneNumberID] = e
			d.wabas[e.WABA] = append(d.wabas[e.WABA], e)
			d.shown[e.DisplayPhone] = append(d.shown[e.DisplayPhone], e)
		}
	}
	if len(apps) > 0 {
		var users []struct {
			App    uuid.UUID `db:"app_id"`
			Tenant uuid.UUID `db:"tenant_id"`
		}
		err := tx.SelectContext(ctx, &users, `
			SELECT a.id AS app_id, coalesce(a.tenant_id, min(d.tenant_id::text)::uuid) AS tenant_id
			FROM apps a LEFT JOIN number_directory d ON d.app_id = a.id AND d.until IS NULL
			WHERE a.id = ANY($1)
			GROUP BY a.id
			HAVING a.tenant_id IS NOT NULL OR count(DISTINCT d.tenant_id) = 1`, pq.Array(keysOf(apps)))
		if err != nil {
			return directory{}, fmt.Errorf("look up users of apps: %w", err)
		}
		for _, u := range users {
			d.users[u.App] = u.Tenant
		}
	}

	return d, nil
}

func keysOf[K comparable](m map[K]bool) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}

	return out
}

// route decides whose an item is. The app that signed it must be the number's: the signature proves the app, and the body
// alone proves nothing.
func (d directory) route(a address) destination {
	if a.WABA == testEntry {
		if tenant, ok := d.users[a.App]; ok {
			return destination{tenant: tenant, state: Waiting, reason: Test}
		}

		return destination{state: Routed, reason: Test}
	}
	if a.PhoneNumberID == "" {
		return d.routeAccount(a)
	}

	e, known := d.phones[a.PhoneNumberID]
	switch {
	case !known:
		return destination{state: Held, reason: UnknownNumber}
	case e.App != a.App:
		return destination{state: Held, reason: WrongApp}
	case a.WABA != "" && a.WABA != e.WABA:
		return destination{tenant: e.Tenant, number: e.Number, state: Waiting, note: wabaDrift}
	}

	return destination{tenant: e.Tenant, number: e.Number, state: Waiting}
}

// routeAccount routes what names a WABA and perhaps a display number: to that number, also where the WABA is not the one we
// know it by and nobody else shows that number, else to the one tenant that has all active numbers of the WABA.
func (d directory) routeAccount(a address) destination {
	var mine []entry
	for _, e := range d.wabas[a.WABA] {
		if e.App == a.App {
			mine = append(mine, e)
		}
	}
	switch shown := d.shown[a.DisplayPhone]; {
	case len(d.wabas[a.WABA]) == 0 && a.DisplayPhone != "" && len(shown) == 1 && shown[0].App == a.App:
		return destination{tenant: shown[0].Tenant, number: shown[0].Number, state: Waiting, note: wabaDrift}
	case len(d.wabas[a.WABA]) == 0:
		return destination{state: Held, reason: UnknownNumber}
	case len(mine) == 0:
		return destination{state: Held, reason: WrongApp}
	}

	for _, e := range mine {
		if a.DisplayPhone != "" && e.DisplayPhone == a.DisplayPhone {
			return destination{tenant: e.Tenant, number: e.Number, state: Waiting}
		}
	}
	for _, e := range d.wabas[a.WABA] {
		if e.Tenant != mine[0].Tenant {
			return destination{state: Held, reason: UnknownNumber}
		}
	}

	return destination{tenant: mine[0].Tenant, state: Waiting}
}
