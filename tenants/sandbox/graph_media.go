package sandbox

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"strings"
)

// mediaTypes are the kinds of file that the sandbox's customers send. What a file holds is made up from its id.
var mediaTypes = []string{"image/jpeg", "audio/ogg; codecs=opus", "application/pdf"}

// mediaOf finds the type of a file that a customer of one of the numbers has sent. Their ids are made by the story.
func mediaOf(id string) (kind string, ok bool) {
	for _, number := range known.Numbers {
		for _, kind := range mediaTypes {
			if id == digitsOf(kind+number.PhoneNumberID) {
				return kind, true
			}
		}
	}
	return "", false
}

// describeMedia answers where a file lies: here, under /media.
func (g *Graph) describeMedia(w http.ResponseWriter, r *http.Request, id, kind string) {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	answer(w, object{
		"messaging_product": "whatsapp", "id": id, "mime_type": kind, "sha256": "c2FuZGJveC1tZWRpYQ==", "file_size": len(mediaBytes(kind)),
		"url": scheme + r.Host + "/media/" + id,
	})
}

// media gives out a file to whoever has a good token.
func (g *Graph) media(w http.ResponseWriter, r *http.Request, id string) {
	if !allowed(w, r, scopeSend, errPermission) {
		return
	}
	kind, ok := mediaOf(id)
	if !ok {
		refuse(w, errUnknownID)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Write(mediaBytes(kind)) //nolint:errcheck // fails when the caller has gone; nobody is left to tell
}

// mediaBytes is a small file of a kind. Sounds are silent: there is nothing to hear in a sandbox.
func mediaBytes(kind string) []byte {
	switch {
	case strings.HasPrefix(kind, "image/"):
		return picture
	case kind == "application/pdf":
		return []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n" +
			"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 80]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
	}
	return []byte("OggS\x00\x02")
}

// picture is a disc of marigold on indigo.
var picture = func() []byte {
	const width, height, radius = 160, 120, 40
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			c := color.RGBA{R: 66, G: 73, B: 160, A: 255}
			if dx, dy := x-width/2, y-height/2; dx*dx+dy*dy < radius*radius {
				c = color.RGBA{R: 241, G: 176, B: 60, A: 255}
			}
			img.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}()
