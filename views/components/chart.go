package components

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// ChartOptions describe a Chart of shares over time.
type ChartOptions struct {
	Label string // what is drawn, for who cannot see it
	Lines []Line
	From  string // what stands under the first point and the last
	To    string
	Open  bool // the last point is not over: its stretch is dashed
}

// Line is one series of a Chart: shares from 0 to 1, below 0 where there is none. Name stands at its end.
type Line struct {
	Name   string
	Values []float64
}

// The drawing's measures, in its own units.
const (
	chartLeft, chartTop, chartRight, chartBottom = 44, 10, 262, 170
	chartWidth, chartHeight                      = 400, 196
	chartGap                                     = 17 // between two names
)

func chartX(i, n int) float64 {
	if n < 2 {
		return chartRight
	}
	return chartLeft + float64(i)*float64(chartRight-chartLeft)/float64(n-1)
}

func chartY(share float64) float64 {
	return chartBottom - min(max(share, 0), 1)*(chartBottom-chartTop)
}

func figure(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// paths are a line's strokes: what is over, and the dashed stretch to what is not.
func (l Line) paths(open bool) (over, dashed string) {
	var b strings.Builder
	end := len(l.Values)
	if open && end > 1 && l.Values[end-1] >= 0 && l.Values[end-2] >= 0 {
		end--
		dashed = "M" + l.point(end-1) + "L" + l.point(end)
	}
	pen := "M"
	for i := range end {
		if l.Values[i] < 0 {
			pen = "M"
			continue
		}
		b.WriteString(pen + l.point(i))
		if pen == "M" && (i+1 == end || l.Values[i+1] < 0) {
			b.WriteString("h0") // alone, it is a dot
		}
		pen = "L"
	}
	return b.String(), dashed
}

func (l Line) point(i int) string {
	return figure(chartX(i, len(l.Values))) + " " + figure(chartY(l.Values[i]))
}

type lineName struct {
	line int
	y    float64
}

// names places the names of lines at their ends, none over another.
func (o ChartOptions) names() []lineName {
	var names []lineName
	for i, l := range o.Lines {
		if n := len(l.Values); n > 0 && l.Values[n-1] >= 0 {
			names = append(names, lineName{i, chartY(l.Values[n-1])})
		} else if last := slices.IndexFunc(l.Values, func(v float64) bool { return v >= 0 }); last >= 0 {
			names = append(names, lineName{i, chartY(l.last())})
		}
	}
	slices.SortStableFunc(names, func(a, b lineName) int { return cmp.Compare(a.y, b.y) })
	for i := 1; i < len(names); i++ {
		names[i].y = max(names[i].y, names[i-1].y+chartGap)
	}
	if n := len(names); n > 0 {
		for i, floor := n-1, float64(chartBottom); i >= 0; i-- {
			names[i].y = min(names[i].y, floor)
			floor = names[i].y - chartGap
		}
	}
	return names
}

// last is the last share there is.
func (l Line) last() float64 {
	for i := len(l.Values) - 1; i >= 0; i-- {
		if l.Values[i] >= 0 {
			return l.Values[i]
		}
	}
	return -1
}
