package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// story is a demo business's past being told.
type story struct {
	number     Number
	now        time.Time
	wamids     int
	deliveries []Delivery
}

// DemoStory is the past of one number up to now, made so that every screen has
// something true to show: people who come back without their phone, look alike,
// change numbers, inherit a stranger's number, and bodies that are odd. The
// deliveries come in the order they arrive; a few are about something earlier.
// The same number and now give the same bytes.
func DemoStory(number Number, now time.Time) []Delivery {
	s := &story{number: number, now: now.UTC().Truncate(time.Second)}
	for _, part := range []func(){
		s.regulars, s.comesBackHidden, s.soundAlike, s.changesNumber, s.changesOutOfOrder, s.numberRecycled,
		s.silentTooLong, s.joinedByMessage, s.joinedByStatus, s.writesInGroup, s.sendsEverything,
		s.sharesCards, s.cannotBeReached, s.strangersToday, s.oddDeliveries,
	} {
		part()
	}
	slices.SortStableFunc(s.deliveries, func(a, b Delivery) int { return a.At.Compare(b.At) })
	return s.deliveries
}

// say chooses the words for the trade of the number.
func (s *story) say(clinic, garage string) string {
	if s.number.Trade == Garage {
		return garage
	}
	return clinic
}

func (s *story) ago(d time.Duration) time.Time { return s.now.Add(-d) }

// tell delivers items together at one time.
func (s *story) tell(at time.Time, items ...item) {
	s.deliveries = append(s.deliveries, Delivery{At: at, Body: pack(items...), Items: len(items)})
}

// says is a text message, delivered when it is written; the wamid is returned.
func (s *story) says(p profile, at time.Time, body string) (wamid string) {
	return s.shares(p, at, "text", text(body))
}

// shares is a message of any type, delivered when it is written.
func (s *story) shares(p profile, at time.Time, kind string, content any) (wamid string) {
	wamid = s.wamid()
	s.tell(at, inbound(s.number, p, wamid, at, kind, content))
	return wamid
}

// answered is a message of the business that was delivered and read.
func (s *story) answered(p profile, at time.Time) (wamid string) {
	wamid = s.wamid()
	for i, state := range []string{"sent", "delivered", "read"} {
		after := at.Add(time.Duration(i*i) * 40 * time.Second)
		s.tell(after, status(s.number, p, wamid, after, state, p.phone != ""))
	}
	return wamid
}

func (s *story) wamid() string {
	s.wamids++
	sum := sha256.Sum256(fmt.Appendf(nil, "story/%s/%d", s.number.PhoneNumberID, s.wamids))
	return "wamid." + base64.StdEncoding.EncodeToString(sum[:27])
}

// phone is the nth phone of this number's story, in the block of ten thousand that
// the world leaves free.
func (s *story) phone(nth int) string {
	sum := sha256.Sum256([]byte(s.number.PhoneNumberID))
	return fmt.Sprintf("9198000%05d", 1000+int(sum[0]%9)*1000+nth)
}

// person shows the phone and the BSUID, as somebody without a username.
func (s *story) person(nth int, name string) profile {
	phone := s.phone(nth)
	return profile{name: name, phone: phone, bsuid: BSUID(s.number.PortfolioID, phone)}
}

// hidden is the same person with a username and the phone withheld.
func (p profile) hidden(username string) profile {
	p.username, p.phone = username, ""
	return p
}

// early is the same person as WhatsApp named them before it had BSUIDs.
func (p profile) early() profile {
	p.bsuid = ""
	return p
}

// national writes an Indian phone as people type it.
func national(phone string) string {
	local := strings.TrimPrefix(phone, "91")
	return local[:5] + " " + local[5:]
}
