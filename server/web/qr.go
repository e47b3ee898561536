package web

import (
	"fmt"
	"strings"

	"github.com/skip2/go-qrcode"

	"github.com/pehchan/pehchan/views/components"
)

// QR draws a link: a run of dark squares is one piece of the path.
func QR(link string) (components.QR, error) {
	code, err := qrcode.New(link, qrcode.Medium)
	if err != nil {
		return components.QR{}, fmt.Errorf("draw link: %w", err)
	}
	code.DisableBorder = true
	rows := code.Bitmap()
	var path strings.Builder
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}

	return components.QR{Path: path.String(), Size: len(rows)}, nil
}
