package components

// QR is a picture code: the path of its dark squares, and how many it is wide.
type QR struct {
	Path string
	Size int
}
