// Package components are the parts that pages are made of. They know nothing of what is shown in them.
package components

import (
	"slices"
	"strconv"
	"strings"
)

const (
	barStep   = 4 // a bar and the space after it
	barWidth  = 3
	barHeight = 40
)

func most(values []int64) int64 { return slices.Max(append([]int64{0}, values...)) }

// barPath is one path for all bars, so that even 192 of them weigh little. Whatever is not nothing can be seen.
func barPath(values []int64) string {
	top, b := max(1, most(values)), strings.Builder{}
	for i, v := range values {
		if v <= 0 {
			continue
		}
		h := max(1, int(v*barHeight/top))
		b.WriteString("M" + strconv.Itoa(i*barStep) + " " + strconv.Itoa(barHeight) + "v-" + strconv.Itoa(h) + "h" + strconv.Itoa(barWidth) + "v" + strconv.Itoa(h) + "z")
	}
	return b.String()
}
