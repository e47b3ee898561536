package training

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// What an operator does to a question of the bank.
const (
	Withdraw = "withdraw" // it is asked nobody any more, and counts for nobody
	Return   = "return"   // it is asked again
)

const mostReason = 500 // letters

// ItemAct is one act of an operator on a question.
type ItemAct struct {
	Item    string    `db:"item"`
	Version int       `db:"version"`
	Did     string    `db:"did"`
	Reason  string    `db:"reason"`
	By      string    `db:"by_name"`
	At      time.Time `db:"at"`
}

// Withdrawn are the questions that are taken back now, each with the act that did it, by id.
func Withdrawn(ctx context.Context, tx *tenants.Tx) (map[string]ItemAct, error) {
	var list []ItemAct
	if err := tx.SelectContext(ctx, &list, `
		SELECT * FROM (
			SELECT DISTINCT ON (item) item, version, did, reason, by_name, at FROM item_acts ORDER BY item, version DESC
		) newest WHERE did = 'withdraw' ORDER BY item LIMIT 1000`); err != nil {
		return nil, fmt.Errorf("list questions taken back: %w", err)
	}
	away := map[string]ItemAct{}
	for _, act := range list {
		away[act.Item] = act
	}

	return away, nil
}

// ItemActs are what operators did to a question, the newest first, at most fifty.
func ItemActs(ctx context.Context, tx *tenants.Tx, item string) ([]ItemAct, error) {
	var list []ItemAct
	if err := tx.SelectContext(ctx, &list, `
		SELECT item, version, did, reason, by_name, at FROM item_acts WHERE item = $1 ORDER BY version DESC LIMIT 50`, item); err != nil {
		return nil, fmt.Errorf("list acts on question %s: %w", item, err)
	}

	return list, nil
}

// ActOnItem withdraws a question of the bank or brings it back, in a System transaction. version is the newest act's that the operator saw,
// 0 for none. ErrNotFound for what is no question; Invalid "reason" where none is given or it is too long; Conflict "item_changed" where a
// colleague was quicker, "item_needed" where too little would be left in the bank: a question
// for every gate, which each whole quiz tempts at, and of each domain as many as its share, which a quiz takes where nothing else is due.
func ActOnItem(ctx context.Context, tx *tenants.Tx, by tenants.Actor, bank *content.Bank, item, did, reason string, version int) error {
	if _, ok := bank.Item(item); !ok || did != Withdraw && did != Return {
		return tenants.ErrNotFound
	}
	reason = strings.TrimSpace(reason)
	switch {
	case reason == "":
		return &tenants.Invalid{Field: "reason", Key: "required"}
	case len([]rune(reason)) > mostReason:
		return &tenants.Invalid{Field: "reason", Key: "too_long"}
	}
	// Two at once take back two questions of which either could be spared, but not both.
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('bank items', 0))`); err != nil {
		return fmt.Errorf("lock questions: %w", err)
	}
	away, err := Withdrawn(ctx, tx)
	if err != nil {
		return err
	}
	if _, is := away[item]; is == (did == Withdraw) {
		return &tenants.Conflict{Code: "item_changed"}
	}
	if did == Withdraw {
		retired, err := retiredFacts(ctx, tx)
		if err != nil {
			return err
		}
		away[item] = ItemAct{}
		if !suffices(without(bank, away), retired) {
			return &tenants.Conflict{Code: "item_needed"}
		}
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO item_acts (item, version, did, reason, by_name) VALUES ($1, $2, $3, $4, $5)`, item, version+1, did, reason, by.Name)
	if tenants.Violates(err, "item_acts_pkey") {
		return &tenants.Conflict{Code: "item_changed"}
	}
	if err != nil {
		return fmt.Errorf("%s question %s: %w", did, item, err)
	}

	action := "training.item_" + did

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by, Action: action, ObjectKind: "item", ObjectID: item, Detail: map[string]any{"reason": reason},
	})
}

// without is the bank less the questions that are taken back.
func without(bank *content.Bank, away map[string]ItemAct) *content.Bank {
	if len(away) == 0 {
		return bank
	}
	less := *bank
	less.Items = slices.DeleteFunc(slices.Clone(bank.Items), func(i content.Item) bool {
		_, is := away[i.ID]
		return is
	})

	return &less
}

// suffices tells whether the questions of a bank that do not rest on retired facts make a whole quiz: one for each gate, and for each
// domain as many as its share may come to.
func suffices(bank *content.Bank, retired map[string]bool) bool {
	gates, domains := map[string]bool{}, map[string]int{}
	for _, item := range bank.Items {
		if item.RestsOn(retired) {
			continue
		}
		domains[item.Domain]++
		for _, gate := range item.Tempts() {
			gates[gate] = true
		}
	}
	for _, gate := range content.Gates {
		if !gates[gate] {
			return false
		}
	}
	for _, d := range content.Domains {
		if domains[d] < (QuizItems*content.Weights[d]+99)/100 {
			return false
		}
	}

	return true
}
