package main

import "fmt"

// guess is how likely the product thought a candidate, and whether it was the right one.
type guess struct {
	Case  string  `json:"case"`
	P     float64 `json:"p"`
	Right bool    `json:"right"`
	Tier  string  `json:"tier"`
	Score *score  `json:"score"`
}

const (
	bins = 10
	few  = 100 // guesses in a bin from which its gap says something
)

// calibration holds what the product thought likely against how often it was: Brier's score, and in bins of a tenth each.
// Source: Brier, "Verification of forecasts expressed in terms of probability", 1950.
func calibration(write writer, guesses []guess) {
	if len(guesses) == 0 {
		return
	}
	var said [bins]float64
	var right [bins]share
	brier := 0.0
	for _, g := range guesses {
		i := min(bins-1, int(g.P*bins))
		said[i] += g.P
		right[i].count(g.Right)
		miss := g.P
		if g.Right {
			miss--
		}
		brier += miss * miss
	}
	widest := 0.0
	for i, s := range right {
		if s.Of >= few {
			widest = max(widest, gap(said[i]/float64(s.Of), s))
		}
	}
	row(write, "likelihood of suggestions: Brier score", fmt.Sprintf("%.4f\t%d\t", brier/float64(len(guesses)), len(guesses)), "", true)
	row(write, fmt.Sprintf("  widest gap of a bin with %d or more", few), fmt.Sprintf("%.4f\t\t", widest), "≤ 0.05", widest <= 0.05)
	for i, s := range right {
		if s.Of > 0 {
			row(write, fmt.Sprintf("  said %.1f to %.1f, %.3f on average; right", float64(i)/bins, float64(i+1)/bins, said[i]/float64(s.Of)), s.String(), "", true)
		}
	}
}

func gap(said float64, s share) float64 {
	found := float64(s.Hits) / float64(s.Of)

	return max(said-found, found-said)
}
