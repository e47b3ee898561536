package content

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Rule is something that an answer says, or must not say. In a file it may be the key of a rule in rules.json.
//
// The patterns are regular expressions over the answer in lower case, spelt one way (see plain); ~ stands for the edge
// of a word in any script, which \b is not.
type Rule struct {
	Key    string   `json:"key,omitempty"`
	Gate   string   `json:"gate,omitempty"`
	Name   Text     `json:"name"`
	Any    []string `json:"any,omitempty"`    // it holds where one of these matches
	Unless []string `json:"unless,omitempty"` // and none of these in the same part of the sentence: "never share your OTP"
	None   []string `json:"none,omitempty"`   // and none of these anywhere
	Most   int      `json:"most,omitempty"`   // and the answer has no more words than this; 0 for no bound

	any, unless, none []*regexp.Regexp
}

// UnmarshalJSON reads a rule or the key of one.
func (r *Rule) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &r.Key)
	}
	type plainRule Rule

	return json.Unmarshal(raw, (*plainRule)(r))
}

func (r *Rule) compile() error {
	for _, part := range []struct {
		from []string
		to   *[]*regexp.Regexp
	}{{r.Any, &r.any}, {r.Unless, &r.unless}, {r.None, &r.none}} {
		for _, pattern := range part.from {
			re, err := regexp.Compile(strings.ReplaceAll(plain(pattern, false), "~", `(?:^|$|[^\p{L}\p{M}\p{N}])`))
			if err != nil {
				return err
			}
			*part.to = append(*part.to, re)
		}
	}

	return nil
}

// holds tells whether the rule is met by an answer. It looks at whole sentences and at their parts between commas, so that "don't
// worry, send me the OTP" is not excused by its first word.
func (r *Rule) holds(answer string) bool {
	if r.Most > 0 && len(strings.Fields(answer)) > r.Most {
		return false
	}
	all := plain(answer, true)
	if matches(r.none, all) {
		return false
	}
	if len(r.any) == 0 {
		return true
	}
	for _, part := range parts(all) {
		if matches(r.any, part) && !matches(r.unless, part) {
			return true
		}
	}

	return false
}

func matches(patterns []*regexp.Regexp, text string) bool {
	return slices.ContainsFunc(patterns, func(re *regexp.Regexp) bool { return re.MatchString(text) })
}

var (
	sentenceEnd = regexp.MustCompile(`[!?।\n]+|\.(?:\s|$)`)
	partEnd     = regexp.MustCompile(`[,;:–—]+`)
	spaces      = regexp.MustCompile(`[^\S\n]+`)
)

func parts(text string) []string {
	var out []string
	for _, sentence := range sentenceEnd.Split(text, -1) {
		out = append(out, sentence)
		if inner := partEnd.Split(sentence, -1); len(inner) > 1 {
			out = append(out, inner...)
		}
	}

	return out
}

// spelling makes one of the ways in which the same is typed: nukta and chandrabindu are left out as often as not, phones curl quotes,
// digits come in two scripts.
var spelling = strings.NewReplacer(
	"\u0958", "क", "\u0959", "ख", "\u095a", "ग", "\u095b", "ज", "\u095c", "ड", "\u095d", "ढ", "\u095e", "फ", "\u095f", "य",
	"\u093c", "", "ँ", "ं", "’", "'", "‘", "'", "“", `"`, "”", `"`, "\u200c", "", "\u200d", "", "\u00a0", " ",
	"ये", "ए", "०", "0", "१", "1", "२", "2", "३", "3", "४", "4", "५", "5", "६", "6", "७", "7", "८", "8", "९", "9",
	"नहीं", "नहीं", "नही", "नहीं", "आर्डर", "ऑर्डर", "ऑडर", "ऑर्डर", "ओर्डर", "ऑर्डर", "डिलिवरी", "डिलीवरी", "डेलिवरी", "डिलीवरी",
	"कृप्या", "कृपया", "धन्यावाद", "धन्यवाद",
	"यूज\u093cरनेम", "username", "यूजरनेम", "username", "यू\u095bरनेम", "username", "यूज\u093cर नेम", "username", "यूजर नेम", "username",
	"pin code", "pincode", "पिन कोड", "पिनकोड", // of an address, which may be asked for
)

// short are words in the ways people type them in a hurry.
var short = map[string]string{
	"nahin": "nahi", "nhi": "nahi", "nai": "nahi", "nahee": "nahi", "mein": "me", "dont": "don't", "cant": "can't", "wont": "won't",
	"usernem": "username", "yuzarnem": "username", "yuzername": "username", "isnt": "isn't", "doesnt": "doesn't", "plz": "please", "pls": "please", "msg": "message", "num": "number",
}

var (
	word     = regexp.MustCompile(`[a-z]+`)
	numberOf = regexp.MustCompile(`\b(order|bill|booking|aadhaar|aadhar|token|phone|mobile) no\.`)
)

// plain is a pattern, or an answer, in one spelling.
func plain(text string, answer bool) string {
	if !answer {
		return spelling.Replace(text)
	}
	text = spaces.ReplaceAllString(spelling.Replace(strings.ToLower(text)), " ")
	text = numberOf.ReplaceAllString(text, "$1 number")
	text = word.ReplaceAllStringFunc(text, func(w string) string {
		if full, ok := short[w]; ok {
			return full
		}

		return w
	})

	return strings.TrimSpace(text)
}

// Outcome is how a step of a drill went.
type Outcome string

// The outcomes: nothing is missing; something is; a gate is broken, whatever else is said.
const (
	Right  Outcome = "right"
	Wrong  Outcome = "wrong"
	Broken Outcome = "broken"
)

// Result is the judgement of one answer.
type Result struct {
	Missing []Text   // what should have been said, or why another choice is better
	Broken  []string // gates
	Said    []Text   // what broke them
	Tone    []Text   // what is wanting in how it was said; it alone makes no answer wrong
}

// Outcome is how the answer counts.
func (r Result) Outcome() Outcome {
	switch {
	case len(r.Broken) > 0:
		return Broken
	case len(r.Missing) > 0:
		return Wrong
	}

	return Right
}

// Grade judges an answer to a step: what was typed, in English, Hindi or Hindi in Latin letters; or, where the step offers choices, the
// id of one. It is the same for the same answer every time and asks nobody.
func Grade(s Step, answer string) Result {
	var r Result
	if len(s.Choices) > 0 {
		for _, c := range s.Choices {
			if c.ID != answer {
				continue
			}
			if !c.Right {
				r.Missing = append(r.Missing, c.Why)
			}
			if c.Gate != "" {
				r.Broken, r.Said = append(r.Broken, c.Gate), append(r.Said, c.Text)
			}

			return r
		}
		r.Missing = append(r.Missing, Text{EN: "Choose one of the ways.", HI: "इनमें से एक रास्ता चुनें।"})

		return r
	}

	for i := range s.Expect.Required {
		if rule := &s.Expect.Required[i]; !rule.holds(answer) {
			r.Missing = append(r.Missing, rule.Name)
		}
	}
	for i := range s.Expect.Forbidden {
		rule := &s.Expect.Forbidden[i]
		if !rule.holds(answer) {
			continue
		}
		r.Said = append(r.Said, rule.Name)
		if !slices.Contains(r.Broken, rule.Gate) {
			r.Broken = append(r.Broken, rule.Gate)
		}
	}
	for i := range s.Expect.Tone {
		if rule := &s.Expect.Tone[i]; !rule.holds(answer) {
			r.Tone = append(r.Tone, rule.Name)
		}
	}

	return r
}
