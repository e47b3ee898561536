package ingest_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/ingest"
)

func TestMaskJSON(t *testing.T) {
	t.Parallel()

	for in, want := range map[string]string{
		`{"field":"messages","metadata":{"phone_number_id":"801"},"item":{"from":"919800000101","timestamp":"1790000000","type":"text","text":{"body":"Hi <b>"}}}`: `{"field":"messages","item":{"from":"•••","text":{"body":"•••"},"timestamp":"1790000000","type":"text"},"metadata":{"phone_number_id":"801"}}`,
		`{"invented":[919800000101,{"919800000101":true}],"empty":"","none":null}`:                                                                                 `{"empty":"","invented":["•••",{"•••":true}],"none":null}`,
		`not json`: `null`,
		``:         `null`,
	} {
		if got := string(ingest.MaskJSON([]byte(in))); got != want {
			t.Errorf("mask %s:\n got %s\nwant %s", in, got, want)
		}
	}
}
