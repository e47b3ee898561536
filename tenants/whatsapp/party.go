package whatsapp

const maxName = 256

// party fills in the customer from the item's own ids and the contact that goes
// with it. The item's ids win; the contact may add one that the item lacks, but
// only where the two meet by id.
func (e *envelope) party(phone, bsuid, parent string) {
	ids := e.ids(phone, bsuid, parent)
	contact, met := e.meet(ids)
	if contact != nil {
		profile := contact.object("profile")
		ids.ProfileName = truncate(profile.text("name"), maxName)
		if met {
			e.complete(&ids, contact)
			ids.Username = profile.text("username")
		}
	}
	e.Party = ids
	e.username(ids.Username)
}

// ids sorts three wire values into a party by their shape: a BSUID has been seen
// where a phone belongs, and must never pass for one.
func (e *envelope) ids(phone, bsuid, parent string) Party {
	var p Party
	switch canonical, ok := Phone(phone); {
	case phone == "":
	case ok:
		p.Phone, p.PhoneRaw = canonical, phone
	case IsParentBSUID(phone):
		p.Parent = phone
	case IsBSUID(phone):
		p.BSUID = phone
	default:
		e.warn("malformed_phone")
	}

	switch {
	case bsuid == "":
	case IsParentBSUID(bsuid):
		e.replace(&p.Parent, bsuid)
	case IsBSUID(bsuid):
		e.replace(&p.BSUID, bsuid)
	default:
		e.warn("malformed_bsuid")
	}

	switch {
	case parent == "":
	case IsParentBSUID(parent):
		e.replace(&p.Parent, parent)
	default:
		e.warn("malformed_bsuid")
	}
	return p
}

// replace sets an id from the field it belongs in, over one found elsewhere.
func (e *envelope) replace(id *string, value string) {
	if *id != "" && *id != value {
		e.warn("contact_id_mismatch")
	}
	*id = value
}

// meet finds the contact that belongs to these ids: by BSUID, then by phone. One
// that stands alone and does not meet them is returned too, with met false.
func (e *envelope) meet(ids Party) (contact fields, met bool) {
	phones := make([]Party, len(e.contacts))
	for i, c := range e.contacts {
		quiet := envelope{}
		phones[i] = quiet.ids(c.text("wa_id"), c.text("user_id"), c.text("parent_user_id"))
		if ids.BSUID != "" && phones[i].BSUID == ids.BSUID {
			return c, true
		}
	}
	for i, c := range e.contacts {
		if ids.Phone != "" && phones[i].Phone == ids.Phone {
			if ids.BSUID != "" && c.text("user_id") != "" {
				e.warn("contact_id_mismatch")
				return c, false
			}
			return c, true
		}
	}
	if len(e.contacts) == 1 {
		if phones[0] != (Party{}) && ids != (Party{}) {
			e.warn("contact_id_mismatch")
		}
		return e.contacts[0], false
	}
	return nil, false
}

// complete adds what the item lacks from the contact it meets.
func (e *envelope) complete(p *Party, contact fields) {
	more := e.ids(contact.text("wa_id"), contact.text("user_id"), contact.text("parent_user_id"))
	switch {
	case p.Phone == "":
		p.Phone, p.PhoneRaw = more.Phone, more.PhoneRaw
	case more.Phone != "" && more.Phone != p.Phone:
		e.warn("contact_id_mismatch")
	}
	if p.BSUID == "" {
		p.BSUID = more.BSUID
	}
	switch {
	case p.Parent == "":
		p.Parent = more.Parent
	case more.Parent != "" && more.Parent != p.Parent:
		e.warn("contact_id_mismatch")
	}
}

func (e *envelope) username(raw string) {
	display, _ := Username(raw)
	e.Party.Username = truncate(display, maxName)
}
