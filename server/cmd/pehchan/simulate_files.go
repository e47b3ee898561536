package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

// worldFiles are what a simulation leaves behind; nil where it was not asked for.
type worldFiles struct {
	truth, told, contacts *os.File
}

// makeFiles makes them before anything is sent, so that a world is not sent in vain.
func (c simulateCmd) makeFiles() (files worldFiles, err error) {
	for _, f := range []struct {
		path string
		into **os.File
	}{{c.Truth, &files.truth}, {c.Told, &files.told}, {c.Contacts, &files.contacts}} {
		if f.path == "" {
			continue
		}
		if *f.into, err = os.Create(f.path); err != nil {
			return worldFiles{}, fmt.Errorf("make %s: %w", f.path, err)
		}
	}

	return files, nil
}

func (files worldFiles) write(world *sandbox.World) error {
	var err error
	if files.truth != nil {
		err = errors.Join(err, fill(files.truth, func(w io.Writer) error { return writeLines(w, world.Truth()) }))
	}
	if files.told != nil {
		err = errors.Join(err, fill(files.told, func(w io.Writer) error { return writeLines(w, world.Events()) }))
	}
	if files.contacts != nil {
		err = errors.Join(err, fill(files.contacts, func(w io.Writer) error { return sandbox.WriteContacts(w, world.Contacts()) }))
	}

	return err
}

func fill(f *os.File, write func(io.Writer) error) error {
	buffered := bufio.NewWriter(f)
	if err := errors.Join(write(buffered), buffered.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}

	return nil
}

func writeLines[T any](to io.Writer, rows []T) error {
	lines := json.NewEncoder(to)
	for _, row := range rows {
		if err := lines.Encode(row); err != nil {
			return err
		}
	}

	return nil
}
