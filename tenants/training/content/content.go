// Package content is what a team is taught and asked before it is called ready: lessons, quiz items, drills, the poster of do and
// don't and the ladder of whom to tell. It is shipped with the product, in English and Hindi, and read from embedded files.
//
// No text here gives a date or a status of WhatsApp's change: where one is needed it stands as {fact:key} and is filled from the
// fact ledger.
package content

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The gates: whoever breaks one is not ready, whatever the score.
const (
	RevealsData  = "reveals_data"   // tells one customer what belongs to another
	AsksOTP      = "asks_otp"       // asks for an OTP, a PIN, a password or an Aadhaar number
	MergesOnName = "merges_on_name" // takes two for one because of a name, a picture or a username
	PromisesDate = "promises_date"  // promises a day that nobody has given
)

// Gates are all gates.
var Gates = []string{RevealsData, AsksOTP, MergesOnName, PromisesDate}

// Weights are the shares, in percent, that the seven domains have in a quiz: A what changes for the customer, B what changes for us,
// C recognising people safely, D asking for a number politely, E fraud and impersonation, F privacy and rights, G our own username.
var Weights = map[string]int{"A": 15, "B": 15, "C": 25, "D": 10, "E": 15, "F": 10, "G": 10}

// The choices of an item's fields, and the roles that lessons are for.
var (
	Domains = []string{"A", "B", "C", "D", "E", "F", "G"}
	Skills  = []string{"recognise", "apply", "judge"}
	Formats = []string{Best, Order, Spot, Same, Myth}
	Forms   = []string{"A", "B", "C"}
	Roles   = []string{"owner", "lead", "agent", "marketing", "developer"}
)

// The formats of an item: the best of some answers; steps to put in order; the mistake in a chat; same person or not, by the evidence
// on a card; true, not true or not announced.
const (
	Best  = "best"
	Order = "order"
	Spot  = "spot"
	Same  = "same"
	Myth  = "myth"
)

// Text is a sentence in both languages.
type Text struct {
	EN string `json:"en"`
	HI string `json:"hi"`
}

// In is the text in a language, "hi" or English, as written: a placeholder {fact:key} stays.
func (t Text) In(lang string) string {
	if lang == "hi" {
		return t.HI
	}

	return t.EN
}

var placeholder = regexp.MustCompile(`\{fact:([a-z_.0-9]+)\}`)

// Filled is the text in a language with every {fact:key} replaced by what fact says of the key.
func (t Text) Filled(lang string, fact func(key string) string) string {
	return placeholder.ReplaceAllStringFunc(t.In(lang), func(found string) string {
		return fact(placeholder.FindStringSubmatch(found)[1])
	})
}

// Lesson is read in two minutes or less.
type Lesson struct {
	ID      string   `json:"id"`
	Roles   []string `json:"roles"`
	Minutes int      `json:"minutes"`
	Title   Text     `json:"title"`
	Body    []Text   `json:"body"`  // paragraphs
	Facts   []string `json:"facts"` // keys of the ledger on which it rests; a changed fact re-opens it
}

// Item is one question of the bank.
type Item struct {
	ID          string   `json:"id"`
	Domain      string   `json:"domain"`
	Skill       string   `json:"skill"`
	Format      string   `json:"format"`
	Form        string   `json:"form"`
	Question    Text     `json:"question"`
	Options     []Option `json:"options"`
	Order       []string `json:"order,omitempty"` // of the format order: ids of all options as they should stand
	Explanation Text     `json:"explanation"`
	Facts       []string `json:"facts"`
	Chat        []Line   `json:"chat,omitempty"` // of the format spot; the options speak of its lines by number, from 1
	Card        *Card    `json:"card,omitempty"` // of the format same
}

// Option is one answer to an item. In the formats same and myth the ids are the same in every item: same, not_same, ask; true, false,
// unknown.
type Option struct {
	ID    string `json:"id"`
	Text  Text   `json:"text"`
	Right bool   `json:"right,omitempty"`
	Gate  string `json:"gate,omitempty"` // broken by choosing it
	Why   Text   `json:"why"`            // shown to whoever chose it; empty in the format order
}

// Answered tells whether an answer is right, and which gate it breaks, if any. The answer is one option's id, in the format order all
// ids as the person put them.
func (i Item) Answered(ids ...string) (right bool, gate string) {
	if i.Format == Order {
		return strings.Join(ids, " ") == strings.Join(i.Order, " "), ""
	}
	if len(ids) != 1 {
		return false, ""
	}
	for _, o := range i.Options {
		if o.ID == ids[0] {
			return o.Right, o.Gate
		}
	}

	return false, ""
}

// Tempts are the gates that an answer to the question breaks.
func (i Item) Tempts() []string {
	var gates []string
	for _, o := range i.Options {
		if o.Gate != "" && !slices.Contains(gates, o.Gate) {
			gates = append(gates, o.Gate)
		}
	}

	return gates
}

// RestsOn tells whether the question rests on one of some facts.
func (i Item) RestsOn(facts map[string]bool) bool {
	return slices.ContainsFunc(i.Facts, func(key string) bool { return facts[key] })
}

// Line is one message of a chat. Who is customer, agent, or notice for what WhatsApp itself writes.
type Line struct {
	Who  string `json:"who"`
	Text Text   `json:"text"`
}

// Card is what the page for deciding about a person shows: who wrote, who it might be, what speaks for it and what against.
type Card struct {
	Who     Person `json:"who"`
	Might   Person `json:"might"`
	Signs   []Sign `json:"signs"`
	Against []Text `json:"against,omitempty"`
}

// Person is somebody on a card. Phone and WhatsAppID are masked, and empty where they are not known.
type Person struct {
	Name       Text   `json:"name"`
	Username   string `json:"username,omitempty"` // without @
	Phone      string `json:"phone,omitempty"`
	WhatsAppID string `json:"whatsapp_id,omitempty"`
	Said       Text   `json:"said,omitzero"` // the last message
}

// Sign is a line of evidence of tier A, B or C.
type Sign struct {
	Tier string `json:"tier"`
	Text Text   `json:"text"`
}

// Drill is a chat to be led, in two variants: the second try is another customer's.
type Drill struct {
	ID        string     `json:"id"`
	Title     Text       `json:"title"`
	Situation Text       `json:"situation"`
	Level     string     `json:"level"` // of the ladder: how far it is to be taken
	Facts     []string   `json:"facts"`
	Variants  [2]Variant `json:"variants"`
}

// Variant is a drill with one customer. It begins with the first of its steps.
type Variant struct {
	Persona Persona `json:"persona"`
	Opening Text    `json:"opening"` // what is on the screen before the customer writes
	Steps   []Step  `json:"steps"`
}

// Persona is who the customer is.
type Persona struct {
	Name  Text   `json:"name"`
	Shown string `json:"shown"` // as the chat shows them: a @username or a masked phone
	About Text   `json:"about"`
}

// What a step asks of the person: to write to the customer, to decide, to say whom to tell. A step that asks for the last offers the
// levels of the ladder, by their ids.
const (
	Reply    = "reply"
	Decide   = "decide"
	Escalate = "escalate"
)

// Step is one turn: the customer writes, or something happens, and the person writes or chooses.
type Step struct {
	ID        string   `json:"id"`
	Like      string   `json:"like,omitempty"` // the step whose expectations, model answer and samples hold here too
	Asks      string   `json:"asks"`
	Customer  Text     `json:"customer"` // what they write, or, where nobody writes, what is to be decided
	Expect    Expect   `json:"expect,omitzero"`
	Choices   []Choice `json:"choices,omitempty"`
	Next      Next     `json:"next"`
	Model     Text     `json:"model,omitzero"`      // a good answer, of a step that asks for a reply
	Wrong     []Sample `json:"wrong,omitempty"`     // harmless and not enough
	Dangerous []Sample `json:"dangerous,omitempty"` // breaks a gate
}

// Expect is by what rules a written answer is judged.
type Expect struct {
	Required  []Rule `json:"required"`
	Forbidden []Rule `json:"forbidden"` // each with the gate it breaks
	Tone      []Rule `json:"tone"`
}

// Choice is one way to go on.
type Choice struct {
	ID    string `json:"id"`
	Text  Text   `json:"text"`
	Right bool   `json:"right,omitempty"`
	Gate  string `json:"gate,omitempty"`
	Why   Text   `json:"why"`
}

// Next names the steps that follow; an empty one ends the drill.
type Next struct {
	Right  string `json:"right,omitempty"`
	Wrong  string `json:"wrong,omitempty"`
	Broken string `json:"broken,omitempty"` // a gate
}

// Sample is an answer somebody might give, and why it will not do.
type Sample struct {
	Answer Text   `json:"answer"`
	Gate   string `json:"gate,omitempty"` // of a dangerous one: what it breaks
	Why    Text   `json:"why"`
}

// Begin is the first step.
func (v Variant) Begin() Step { return v.Steps[0] }

// Step is the step with an id.
func (v Variant) Step(id string) (Step, error) {
	for _, s := range v.Steps {
		if s.ID == id {
			return s, nil
		}
	}

	return Step{}, fmt.Errorf("no step %q", id)
}

// After is the step that follows an answer to s; done where the drill ends with it.
func (v Variant) After(s Step, r Result) (next Step, done bool, err error) {
	id := s.Next.Right
	switch r.Outcome() {
	case Right:
	case Wrong:
		id = s.Next.Wrong
	case Broken:
		id = s.Next.Broken
	}
	if id == "" {
		return Step{}, true, nil
	}
	next, err = v.Step(id)

	return next, false, err
}

// Point is one line of the poster.
type Point struct {
	ID   string `json:"id"`
	Text Text   `json:"text"`
	Why  Text   `json:"why"`
}

// Poster is what hangs beside the counter.
type Poster struct {
	Title Text    `json:"title"`
	Do    []Point `json:"do"`
	Dont  []Point `json:"dont"`
}

// Level is a rung of the ladder.
type Level struct {
	ID      string `json:"id"` // L0 to L4, and X for help outside
	Who     Text   `json:"who"`
	When    []Text `json:"when"`
	Clock   Text   `json:"clock"`
	Minutes int    `json:"minutes"`            // until it must have been taken up; 0 for no clock
	SameDay bool   `json:"same_day,omitempty"` // by the end of the day instead
	Do      Text   `json:"do"`
}

// Bank is everything there is to learn.
type Bank struct {
	Lessons []Lesson
	Items   []Item
	Drills  []Drill
	Poster  Poster
	Ladder  []Level

	rules map[string]Rule // that practice chats share
}

// Item is the item with an id.
func (b *Bank) Item(id string) (Item, bool) {
	for _, i := range b.Items {
		if i.ID == id {
			return i, true
		}
	}

	return Item{}, false
}

// Lesson is the lesson with an id.
func (b *Bank) Lesson(id string) (Lesson, bool) {
	for _, l := range b.Lessons {
		if l.ID == id {
			return l, true
		}
	}

	return Lesson{}, false
}

// Drill is the drill with an id.
func (b *Bank) Drill(id string) (Drill, bool) {
	for _, d := range b.Drills {
		if d.ID == id {
			return d, true
		}
	}

	return Drill{}, false
}
