package views_test

import (
	"time"

	"github.com/pehchan/pehchan/views/audit"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/numbers"
	"github.com/pehchan/pehchan/views/settings"
	"github.com/pehchan/pehchan/views/team"
)

var now = time.Date(2026, 11, 22, 8, 40, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

func member(title string) layout.Frame {
	return layout.Frame{
		Title: title, Nonce: "n-1", CSRF: "t-1", Path: "/home",
		Person: layout.Person{Name: "Meera", Email: "meera@asha-clinic.example", Role: "owner"},
		Tenant: layout.Tenant{ID: "1", Name: "Asha Clinic"}, Shortcuts: true,
		Nav: []layout.NavItem{{Key: "home", Href: "/home"}, {Key: "queue", Href: "/resolve"}, {Key: "contacts", Href: "/contacts"}, {Key: "numbers", Href: "/numbers"}},
	}
}

func stranger(title string) layout.Frame {
	return layout.Frame{Title: title, Nonce: "n-1", CSRF: "t-1"}
}

func connected() numbers.Number {
	return numbers.Number{
		ID: "n1", Name: "Asha Clinic Bhopal", Phone: "919800000480", State: "connected", App: "demo", WABAID: "210", PhoneNumberID: "109",
		HasToken: true, ConnectedAt: ago(200 * time.Hour), FirstEvent: ago(199 * time.Hour), LastEvent: ago(3 * time.Minute),
	}
}

func waiting() numbers.Number {
	return numbers.Number{ID: "n2", Phone: "919800000481", State: "waiting", App: "demo", HasToken: true, ConnectedAt: ago(time.Minute)}
}

func numberHome() numbers.NumberHome {
	return numbers.NumberHome{
		Frame: member("Number"), Now: now, Number: connected(), Meter: numbers.Meter{Received: 48211, Routed: 48209, SetAside: 2}, WebhookURL: "https://pehchan.example/hooks/whatsapp/demo",
		Checks:     []numbers.NumberCheck{{Code: "token", OK: true, Tried: true}, {Code: "scopes", Tried: true, Reason: "scopes_missing", Args: map[string]string{"scopes": "x_y"}}, {Code: "waba"}},
		CanConnect: true,
	}
}

func health() numbers.Health {
	p := numbers.Health{
		Frame: member("Health"), Now: now, Number: connected(), Meter: numbers.Meter{Received: 48211, Routed: 48209, SetAside: 2, Duplicates: 12},
		Minutes: make([]int64, 60), Hours: make([]int64, 192), Refused: numbers.Refusals{Day: 2, All: 14, At: ago(time.Hour), Own: true},
		Fields:    []numbers.SeenField{{Name: "messages", Last: ago(time.Minute), Items: 48000}, {Name: "standby", Last: ago(time.Hour), Items: 3}},
		Drift:     []numbers.Drift{{Field: "messages", What: "unknown_key:mood", First: ago(time.Hour), Last: now, Times: 3, Sample: "{}"}},
		Items:     []numbers.InboxItem{{ID: "7", At: ago(time.Hour), State: "set_aside", Kind: "message", Reason: "item_not_object", Href: "/numbers/n1/items/7"}},
		CanReplay: true,
	}
	p.Minutes[58], p.Minutes[59], p.Hours[191], p.Hours[100] = 7, 2, 9, 120

	return p
}

func teamSample() team.Team {
	return team.Team{
		Asked: []team.Asked{{ID: "9", Email: "new@clinic.example", Role: "agent", At: ago(time.Hour), Until: now.Add(time.Hour), CanChange: true}, {ID: "10", Email: "old@clinic.example", Role: "lead", At: ago(time.Hour), Until: ago(time.Minute)}},
		Frame: member("Team"), Now: now, CanAdd: true, Roles: []string{"agent", "lead", "owner"},
		Items: []team.Colleague{
			{ID: "1", Name: "Meera", Email: "meera@asha-clinic.example", Role: "owner", Me: true, LastOwner: true, CanChange: true, Seen: now},
			{ID: "2", Name: "Joseph <b>", Email: "joseph@asha-clinic.example", Role: "agent", CanChange: true},
		},
	}
}

func keys() settings.Keys {
	return settings.Keys{
		Frame: member("Keys"), Now: now, CanManage: true, BaseURL: "https://pehchan.example/api/v1",
		Items: []settings.Key{
			{ID: "1", Name: "Zoho", Prefix: "pk_9f2c", Scopes: []string{"read", "write"}, By: "Arjun", Created: ago(time.Hour)},
			{ID: "2", Name: "Shop", Prefix: "pk_77ab", Scopes: []string{"read"}, By: "Arjun", Created: ago(time.Hour), Revoked: now},
		},
	}
}

func apps() numbers.Apps {
	return numbers.Apps{
		Frame: member("Apps"), Now: now, CanManage: true,
		Items: []numbers.App{
			{Name: "asha-own", MetaAppID: "88", WebhookURL: "https://pehchan.example/hooks/whatsapp/asha-own", OldUntil: now.Add(time.Hour), Refused: 3, RefusedAt: ago(time.Hour)},
			{Name: "demo", Platform: true, MetaAppID: "77", WebhookURL: "https://pehchan.example/hooks/whatsapp/demo"},
		},
	}
}

func auditSample() audit.Audit {
	return audit.Audit{
		Frame: member("Audit"), Now: now, Scope: "all", CanVerify: true,
		Entries: []audit.Entry{
			{Seq: 2, At: ago(time.Minute), Actor: "Meera", Kind: "person", Action: "contact.merge", Object: "Priya <i>", Href: "/contacts/1"},
			{Seq: 1, At: ago(time.Hour), Kind: "system", Action: "something.new", Detail: []audit.AuditDetail{{Name: "timezone", Before: "UTC", After: "Asia/Kolkata"}}},
		},
	}
}
