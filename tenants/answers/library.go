package answers

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
)

//go:embed library/*.json
var shelf embed.FS

// card is a card as the files have it.
type card struct {
	Key      string   `json:"key"`
	Country  string   `json:"country"`
	Facts    []string `json:"facts"`
	Question Words    `json:"question"`
	Short    Words    `json:"short"`
	Long     Words    `json:"long"`
	Never    Words    `json:"never"`
	Source   Words    `json:"source"`
	Asks     []string `json:"asks"`
}

// library is what ships, read once and never changed, or what edited makes of it.
type library struct {
	cards  []Card
	macros []Macro
	away   []Card            // added by operators and taken away again, see edited
	words  map[string]string // a folded word and the first of those that mean the same
	bones  map[string]string // the same without vowels, for words mistyped in Latin letters
}

var shipped = sync.OnceValues(load)

// Shipped are the built-in cards, in order.
func Shipped() ([]Card, error) {
	lib, err := shipped()

	return slices.Clone(lib.cards), err
}

func load() (library, error) {
	var lib library
	for _, audience := range Audiences {
		var list []card
		if err := read(audience, &list); err != nil {
			return library{}, err
		}
		for _, c := range list {
			made := Card{Key: c.Key, Facts: c.Facts, Content: Content{
				Audience: audience, Country: c.Country, Question: c.Question, Short: c.Short, Long: c.Long, Never: c.Never, Source: c.Source, Asks: c.Asks,
			}}
			made.Facts = union(made.Facts, made.named())
			if err := made.check(); err != nil {
				return library{}, fmt.Errorf("built-in answer %s: %w", c.Key, err)
			}
			if slices.ContainsFunc(lib.cards, func(o Card) bool { return o.Key == c.Key }) {
				return library{}, fmt.Errorf("built-in answer %s stands twice", c.Key)
			}
			lib.cards = append(lib.cards, made)
		}
	}
	if err := read("macros", &lib.macros); err != nil {
		return library{}, err
	}
	for i, m := range lib.macros {
		lib.macros[i].Facts = union(m.Facts, factsIn(m.Text.EN, m.Text.HI, m.Text.Hinglish))
		if err := m.check(); err != nil {
			return library{}, fmt.Errorf("built-in macro %s: %w", m.Key, err)
		}
	}

	var groups [][]string
	if err := read("words", &groups); err != nil {
		return library{}, err
	}
	lib.words, lib.bones = map[string]string{}, map[string]string{}
	for _, group := range groups {
		for _, word := range group {
			word = fold(word)
			if _, taken := lib.words[word]; !taken {
				lib.words[word] = group[0]
			}
			if b := bones(word); len(b) > 2 {
				if _, taken := lib.bones[b]; !taken {
					lib.bones[b] = group[0]
				}
			}
		}
	}

	return lib, nil
}

func read(name string, into any) error {
	raw, err := shelf.ReadFile("library/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return fmt.Errorf("read built-in %s: %w", name, err)
	}

	return nil
}

func union(a, b []string) []string {
	list := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}

	return list
}
