package content

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"
)

//go:embed lessons/*.json quiz/*.json drills/*.json wall/*.json rules.json repair.json
var files embed.FS

// Shipped reads the bank that the product ships with. It is read and checked once; do not change what it returns.
var Shipped = sync.OnceValues(load)

func load() (*Bank, error) {
	b := &Bank{}
	if err := readAll("lessons", func(l Lesson) { b.Lessons = append(b.Lessons, l) }); err != nil {
		return nil, err
	}
	if err := readAll("quiz", func(list []Item) { b.Items = append(b.Items, list...) }); err != nil {
		return nil, err
	}
	if err := readAll("drills", func(d Drill) { b.Drills = append(b.Drills, d) }); err != nil {
		return nil, err
	}
	if err := read("wall/poster.json", &b.Poster); err != nil {
		return nil, err
	}
	if err := read("wall/ladder.json", &b.Ladder); err != nil {
		return nil, err
	}
	rules, err := shared()
	if err != nil {
		return nil, err
	}
	b.rules = rules
	for i := range b.Drills {
		if err := b.Drills[i].ready(rules); err != nil {
			return nil, fmt.Errorf("drill %s: %w", b.Drills[i].ID, err)
		}
	}
	if err := b.check(); err != nil {
		return nil, err
	}

	return b, nil
}

func readAll[T any](folder string, add func(T)) error {
	names, err := fs.Glob(files, path.Join(folder, "*.json"))
	if err != nil {
		return fmt.Errorf("list %s: %w", folder, err)
	}
	for _, name := range names {
		var one T
		if err := read(name, &one); err != nil {
			return err
		}
		add(one)
	}

	return nil
}

func read(name string, into any) error {
	raw, err := files.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}

	return nil
}

// ready fills in what a drill's files leave out: rules by key, steps like another, and the step after a broken gate, which is one for
// all.
func (d *Drill) ready(rules map[string]Rule) error {
	for i := range d.Variants {
		v := &d.Variants[i]
		var repair Step
		if err := read("repair.json", &repair); err != nil {
			return err
		}
		for j := range v.Steps {
			s := &v.Steps[j]
			if s.Like != "" {
				first, err := v.Step(s.Like)
				if err != nil {
					return err
				}
				s.Asks, s.Expect, s.Choices, s.Model, s.Wrong, s.Dangerous = first.Asks, first.Expect, first.Choices, first.Model, first.Wrong, first.Dangerous
				s.Next = Next{Right: first.Next.Right, Wrong: first.Next.Right}
			} else {
				for _, set := range [][]Rule{s.Expect.Required, s.Expect.Forbidden, s.Expect.Tone} {
					for k := range set {
						if err := set[k].ready(rules); err != nil {
							return fmt.Errorf("step %s: %w", s.ID, err)
						}
					}
				}
			}
			s.Next.Broken = repair.ID
		}
		v.Steps = append(v.Steps, repair)
	}

	return nil
}

// Breaks tells whether words that are sent to a customer break a gate, by the rules that every practice chat is judged by.
func (b *Bank) Breaks(gate, said string) bool {
	for _, r := range b.rules {
		if r.Gate == gate && r.holds(said) {
			return true
		}
	}

	return false
}

// shared are the rules that many steps use, by key.
func shared() (map[string]Rule, error) {
	var rules map[string]Rule
	if err := read("rules.json", &rules); err != nil {
		return nil, err
	}
	for key, r := range rules {
		r.Key = key
		if err := r.compile(); err != nil {
			return nil, fmt.Errorf("rule %s: %w", key, err)
		}
		rules[key] = r
	}

	return rules, nil
}

func (r *Rule) ready(rules map[string]Rule) error {
	if r.Name == (Text{}) {
		known, ok := rules[r.Key]
		if !ok {
			return fmt.Errorf("no rule %q", r.Key)
		}
		*r = known

		return nil
	}
	if err := r.compile(); err != nil {
		return fmt.Errorf("rule %q: %w", r.Name.EN, err)
	}

	return nil
}

// check finds what would leave a person without a question, an answer or a way on.
func (b *Bank) check() error {
	seen := map[string]bool{}
	once := func(id string) error {
		if id == "" || seen[id] {
			return fmt.Errorf("id %q is empty or stands twice", id)
		}
		seen[id] = true

		return nil
	}
	for _, l := range b.Lessons {
		if err := once(l.ID); err != nil {
			return err
		}
		if len(l.Roles) == 0 || len(l.Body) == 0 {
			return fmt.Errorf("lesson %s is for nobody or says nothing", l.ID)
		}
	}
	for _, i := range b.Items {
		if err := once(i.ID); err != nil {
			return err
		}
		if err := i.check(); err != nil {
			return fmt.Errorf("item %s: %w", i.ID, err)
		}
	}
	for _, d := range b.Drills {
		if err := once(d.ID); err != nil {
			return err
		}
		for n, v := range d.Variants {
			if err := v.check(d.Level); err != nil {
				return fmt.Errorf("drill %s, variant %d: %w", d.ID, n+1, err)
			}
		}
	}

	return nil
}

func (i Item) check() error {
	for _, field := range []struct {
		value string
		among []string
	}{{i.Domain, Domains}, {i.Skill, Skills}, {i.Format, Formats}, {i.Form, Forms}} {
		if !slices.Contains(field.among, field.value) {
			return fmt.Errorf("%q is none of %v", field.value, field.among)
		}
	}
	if len(i.Options) < 2 || i.Format == Spot && len(i.Chat) == 0 || (i.Format == Same) != (i.Card != nil) {
		return errors.New("it has too few options, no chat or no card")
	}
	var ids []string
	right := 0
	for _, o := range i.Options {
		if o.Gate != "" && (o.Right || !slices.Contains(Gates, o.Gate)) {
			return fmt.Errorf("option %s: gate %q", o.ID, o.Gate)
		}
		if slices.Contains(ids, o.ID) {
			return fmt.Errorf("option %s stands twice", o.ID)
		}
		if o.Right {
			right++
		}
		ids = append(ids, o.ID)
	}
	if i.Format == Order {
		order := slices.Clone(i.Order)
		slices.Sort(order)
		slices.Sort(ids)
		if right != 0 || !slices.Equal(order, ids) {
			return fmt.Errorf("order %v of %v", i.Order, ids)
		}

		return nil
	}
	if right != 1 {
		return fmt.Errorf("%d right options", right)
	}

	return nil
}

func (v Variant) check(level string) error {
	if len(v.Steps) < 2 {
		return errors.New("no steps")
	}
	var ids []string
	for _, s := range v.Steps {
		if slices.Contains(ids, s.ID) {
			return fmt.Errorf("step %s stands twice", s.ID)
		}
		ids = append(ids, s.ID)
		for _, to := range []string{s.Next.Right, s.Next.Wrong, s.Next.Broken} {
			if to == "" {
				continue
			}
			if _, err := v.Step(to); err != nil {
				return fmt.Errorf("step %s leads on: %w", s.ID, err)
			}
		}
		right := 0
		for _, c := range s.Choices {
			if c.Right {
				right++
			}
			if s.Asks == Escalate && c.Right != (c.ID == level) {
				return fmt.Errorf("step %s takes %s for right: %v, the drill ends at %s", s.ID, c.ID, c.Right, level)
			}
		}
		if s.Asks == Reply && (len(s.Expect.Required) == 0 || len(s.Expect.Forbidden) == 0) || s.Asks != Reply && right != 1 {
			return fmt.Errorf("step %s asks for %q and cannot be answered", s.ID, s.Asks)
		}
		for _, rule := range s.Expect.Forbidden {
			if !slices.Contains(Gates, rule.Gate) {
				return fmt.Errorf("step %s: a forbidden move without a gate", s.ID)
			}
		}
	}

	return nil
}

// Resting counts what stands on one or more of some facts of the ledger.
func (b *Bank) Resting(facts []string) (lessons, items, drills int) {
	on := func(keys []string) int {
		if slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(facts, key) }) {
			return 1
		}

		return 0
	}
	for _, l := range b.Lessons {
		lessons += on(l.Facts)
	}
	for _, i := range b.Items {
		items += on(i.Facts)
	}
	for _, d := range b.Drills {
		drills += on(d.Facts)
	}

	return lessons, items, drills
}
