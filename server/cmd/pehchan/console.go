package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/i18n"
)

// command is who does what a command does, as the audit names it.
var command = access.Command("pehchan")

// maxInput is the most a command reads from standard input.
const maxInput = 64 << 10

// answer prints the object with --json, else the sentence.
func (c *console) answer(object map[string]any, format string, args ...any) error {
	if c.json {
		return json.NewEncoder(c.stdout).Encode(object)
	}
	_, err := fmt.Fprintf(c.stdout, format+"\n", args...)

	return err
}

// password reads one line; "" where there is none, as for a person who has a password already.
func (c *console) password() (string, error) {
	line, err := bufio.NewReader(io.LimitReader(c.stdin, maxInput)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}

	return strings.TrimRight(line, "\r\n"), nil
}

// object reads one JSON object into target and takes no other field than target's.
func (c *console) object(target any) error {
	d := json.NewDecoder(io.LimitReader(c.stdin, maxInput))
	d.DisallowUnknownFields()
	if err := d.Decode(target); err != nil {
		// The decoder's own words may quote a piece of a secret.
		return errors.New("standard input does not hold the JSON object this command needs; see --help")
	}

	return nil
}

// sentence says in English what went wrong.
func sentence(err error) string {
	ctx := i18n.With(context.Background(), i18n.English, nil)

	var refused *numbers.Refused
	if errors.As(err, &refused) {
		reasons := []string{}
		for _, check := range refused.Failed() {
			reasons = append(reasons, say(ctx, "check."+check.Reason, check.Args))
		}

		return "the number was not connected: " + strings.Join(reasons, " ")
	}

	var invalid *tenants.Invalid
	if errors.As(err, &invalid) && i18n.Known("invalid."+invalid.Key) {
		return strings.ReplaceAll(invalid.Field, "_", " ") + ": " + i18n.T(ctx, "invalid."+invalid.Key)
	}
	if code := tenants.ConflictCode(err); code != "" && i18n.Known("conflict."+code) {
		return i18n.T(ctx, "conflict."+code)
	}

	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

func say(ctx context.Context, key string, args map[string]string) string {
	if !i18n.Known(key) {
		return key
	}

	pairs := []any{}
	for name, value := range args {
		pairs = append(pairs, name, value)
	}

	return i18n.T(ctx, key, pairs...)
}
