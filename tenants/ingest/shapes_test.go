package ingest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
)

// What came for a number is noted by its shapes, and again only where it says something new.
func TestShapesSeenLive(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.work(t)
	read := func(tenant, number uuid.UUID) (names []string, list []ingest.ShapeSeen) {
		t.Helper()
		if err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
			list, err = ingest.ShapesSeen(ctx, tx, number)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			names = append(names, s.Shape)
		}
		return names, list
	}

	p.receive(t, p.app, toAsha(`{"from":"919800000001","id":"wamid.s1","timestamp":"1790000001","type":"text","text":{"body":"a"}}`))
	p.settle(t)
	if names, _ := read(p.asha, p.ashaNumber); !slices.Equal(names, []string{ingest.ShapePhone}) {
		t.Errorf("after a phone alone: %v", names)
	}
	p.receive(t, p.app, toAsha(text(2, "b"),
		`{"from_user_id":"IN.7700000003","from_parent_user_id":"IN.ENT.770","id":"wamid.s3","timestamp":"1790000003","type":"text","text":{"body":"c"}}`))
	p.settle(t)
	names, list := read(p.asha, p.ashaNumber)
	if want := []string{ingest.ShapeID, ingest.ShapeParent, ingest.ShapePhone, ingest.ShapePhoneID}; !slices.Equal(names, want) {
		t.Errorf("shapes %v, want %v", names, want)
	}
	for _, s := range list {
		if s.FirstAt.IsZero() || s.LastAt.Before(s.FirstAt) || !slices.Contains(ingest.Shapes, s.Shape) {
			t.Errorf("%+v", s)
		}
	}
	for whose, number := range map[uuid.UUID]uuid.UUID{p.ravi: p.ashaNumber, p.asha: p.raviNumber} {
		if names, _ := read(whose, number); len(names) != 0 {
			t.Errorf("another tenant's number: %v", names)
		}
	}
}
