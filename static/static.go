// Package static holds the built style sheet, scripts and icon, and serves
// them by exact name under an address that changes with their content.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
)

//go:embed dist
var dist embed.FS

// Prefix is the path under which every file is found.
const Prefix = "/static/"

type file struct {
	url         string
	content, gz []byte
	contentType string
}

var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

var byName, byURL = load()

// load hashes and compresses the embedded files once. They are part of the
// program, so a fault in them stops it at once.
func load() (names, urls map[string]file) {
	names, urls = map[string]file{}, map[string]file{}
	entries, err := fs.ReadDir(dist, "dist")
	if err != nil {
		panic(fmt.Errorf("list built files: %w", err))
	}
	for _, entry := range entries {
		content, err := dist.ReadFile("dist/" + entry.Name())
		if err != nil {
			panic(fmt.Errorf("read built file: %w", err))
		}
		contentType, known := types[path.Ext(entry.Name())]
		if !known {
			panic("static: no content type for " + entry.Name())
		}
		sum := sha256.Sum256(content)
		f := file{
			url:         Prefix + hex.EncodeToString(sum[:6]) + "/" + entry.Name(),
			content:     content,
			gz:          compress(content),
			contentType: contentType,
		}
		names[entry.Name()], urls[f.url] = f, f
	}
	return names, urls
}

func compress(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err)
	}
	if _, err := w.Write(content); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// URL is the address of the file called name, such as "app.css". What it
// names never changes, so it may be cached for ever. An unknown name panics:
// names are written in the views, not sent by anybody.
func URL(name string) string {
	f, ok := byName[name]
	if !ok {
		panic("static: no file " + name)
	}
	return f.url
}

// Lookup finds the file that URL gave path for: its bytes, the same bytes
// gzipped, and its media type. Any other path, an older version's too, is not
// ok.
func Lookup(path string) (content, gz []byte, contentType string, ok bool) {
	f, ok := byURL[path]
	return f.content, f.gz, f.contentType, ok
}
