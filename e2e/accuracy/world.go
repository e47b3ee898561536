package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

const (
	eventsPerPerson = 14
	disorder        = 0.2  // of the deliveries come late, and half as many twice
	shareRepeated   = 0.2  // of the deliveries of the shuffled world come twice
	shareTail       = 0.03 // of the deliveries come after the merges
)

// worldOptions are the same for both customers of a world but for the numbers. Parent ids and the contact book of the second
// portfolio take turns with the seed.
func worldOptions(people int, seed int64, numbers []sandbox.Number) sandbox.WorldOptions {
	o := sandbox.WorldOptions{
		Seed: 7919*seed + int64(people), People: people, Events: eventsPerPerson * people, ToEnd: true,
		Start: time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC), Span: 310 * 24 * time.Hour,
		Numbers: numbers, Disorder: disorder, Names: sandbox.Frozen, Calendar: true, Place: "accuracy",
		Parents: seed%2 == 1, Shared: []string{numbers[1].PhoneNumberID},
	}
	if seed%2 == 0 {
		o.Books = []string{portfolioB}
	}

	return o
}

// unfold lets a whole world happen.
func unfold(o sandbox.WorldOptions) (*sandbox.World, [][]byte) {
	w := sandbox.NewWorld(o)
	var bodies [][]byte
	for d, more := w.Next(); more; d, more = w.Next() {
		bodies = append(bodies, d.Body)
	}

	return w, bodies
}

// world delivers one world to two customers: to one about as it happened, to the other in any order and with more repeats. Then
// it merges and undoes at the first, and judges the second, which was never touched.
func (p *program) world(ctx context.Context, people int, seed int64) (r result, err error) {
	begun := time.Now()
	r = result{People: people, Seed: seed, Mixed: map[string]bool{}}
	touched, err := p.customer(ctx)
	if err != nil {
		return r, err
	}
	plain, err := p.customer(ctx)
	if err != nil {
		return r, err
	}
	_, told := unfold(worldOptions(people, seed, touched.numbers))
	world, shuffled := unfold(worldOptions(people, seed, plain.numbers))
	r.Deliveries = len(told)
	list := world.Contacts()
	for _, c := range []*customer{touched, plain} {
		if err := c.takeIn(ctx, list); err != nil {
			return r, err
		}
	}
	// The same places in both; the tail of the one is the tail of the other.
	head := len(told) - int(float64(len(told))*shareTail)
	chance := rand.New(rand.NewPCG(uint64(seed), uint64(people)))

	if err := deliverBoth(ctx, touched, told[:head], plain, mix(chance, shuffled[:head])); err != nil {
		return r, err
	}
	resolved := time.Since(begun).Seconds()
	before, err := touched.export(ctx)
	if err != nil {
		return r, err
	}
	other, err := plain.export(ctx)
	if err != nil {
		return r, err
	}
	r.Order.compare(before, other)

	undone, err := touched.mergeAndUndo(ctx, chance, before, &r)
	if err != nil {
		return r, err
	}
	merged, err := touched.mergePairs(ctx, chance, undone, &r)
	if err != nil {
		return r, err
	}
	if err := deliverBoth(ctx, touched, told[head:], plain, mix(chance, shuffled[head:])); err != nil {
		return r, err
	}
	if err := touched.undo(ctx, chance, merged, &r.Later); err != nil {
		return r, err
	}
	after, err := touched.export(ctx)
	if err != nil {
		return r, err
	}
	final, err := plain.export(ctx)
	if err != nil {
		return r, err
	}
	r.Later.Pairs = len(merged)
	r.Later.compare(after, final)

	wrote, err := plain.writers(ctx, final)
	if err != nil {
		return r, err
	}
	if err := r.judge(ctx, newTruth(world, list, plain.scopes), plain, final, wrote); err != nil {
		return r, err
	}
	r.Seconds = time.Since(begun).Seconds()
	fmt.Fprintf(os.Stderr, "%d people, seed %d: %d deliveries twice, resolved after %.0f s, judged after %.0f s\n",
		people, seed, r.Deliveries, resolved, r.Seconds)

	return r, nil
}

// mix puts deliveries in any order and repeats some.
func mix(chance *rand.Rand, bodies [][]byte) [][]byte {
	var out [][]byte
	for _, b := range bodies {
		out = append(out, b)
		if chance.Float64() < shareRepeated {
			out = append(out, b)
		}
	}
	chance.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })

	return out
}

func deliverBoth(ctx context.Context, a *customer, toA [][]byte, b *customer, toB [][]byte) error {
	if err := a.deliver(ctx, toA); err != nil {
		return err
	}
	if err := b.deliver(ctx, toB); err != nil {
		return err
	}
	if err := a.settled(ctx); err != nil {
		return err
	}

	return b.settled(ctx)
}
