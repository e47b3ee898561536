package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// Call is one call of the API, as the document describes it.
type Call struct {
	ID      string // operationId
	Method  string // GET, POST, PATCH
	Path    string // under /api/v1
	Summary string
	About   string // may be empty
	Scope   string // that the key needs; empty where none does
	Params  []Field
	Body    []Field
	Answer  Answer
	Errors  []Answer
	Example json.RawMessage // of the body; nil where there is none
}

// Answer is an answer of a call: the one it gives when all is well, or a refusal.
type Answer struct {
	Status string
	About  string
	Fields []Field
}

// Field is a parameter, or a field of a body or an answer. Name says where it stands: items[].id.
type Field struct {
	Name   string
	In     string // path, query or header of a parameter
	Type   string
	Needed bool
	About  string
}

// object is a JSON object whose fields keep their order.
type object[T any] []member[T]

type member[T any] struct {
	name  string
	value T
}

func (o *object[T]) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return fmt.Errorf("want an object: %w", err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := member[T]{name: fmt.Sprint(name)}
		if err := d.Decode(&m.value); err != nil {
			return err
		}
		*o = append(*o, m)
	}

	return nil
}

func (o object[T]) of(ref string) (found T) {
	name := ref[strings.LastIndexByte(ref, '/')+1:]
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}

	return found
}

type described struct {
	Info struct {
		Description string `json:"description"`
	} `json:"info"`
	Paths      object[object[operation]] `json:"paths"`
	Components struct {
		Parameters object[parameter] `json:"parameters"`
		Responses  object[response]  `json:"responses"`
		Schemas    object[schema]    `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	OperationID string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Description string                `json:"description"`
	Security    []map[string][]string `json:"security"`
	Parameters  []parameter           `json:"parameters"`
	RequestBody struct {
		Content map[string]media `json:"content"`
	} `json:"requestBody"`
	Responses object[response] `json:"responses"`
}

type parameter struct {
	Ref         string `json:"$ref"`
	Name        string `json:"name"`
	In          string `json:"in"`
	Required    bool   `json:"required"`
	Description string `json:"description"`
	Schema      schema `json:"schema"`
}

type response struct {
	Ref         string           `json:"$ref"`
	Description string           `json:"description"`
	Content     map[string]media `json:"content"`
}

type media struct {
	Schema schema `json:"schema"`
}

type schema struct {
	Ref         string            `json:"$ref"`
	Type        any               `json:"type"` // a name, or several
	Format      string            `json:"format"`
	Description string            `json:"description"`
	Enum        []any             `json:"enum"`
	Required    []string          `json:"required"`
	Properties  object[schema]    `json:"properties"`
	Items       *schema           `json:"items"`
	Others      json.RawMessage   `json:"additionalProperties"`
	AnyOf       []json.RawMessage `json:"anyOf"`
	Minimum     *float64          `json:"minimum"`
	Maximum     *float64          `json:"maximum"`
	Default     any               `json:"default"`
}

// read takes the document apart once. It is part of the program, so a fault in it is one of the program.
var read = sync.OnceValue(func() (d described) {
	if err := json.Unmarshal(document, &d); err != nil {
		panic(fmt.Errorf("read the API's document: %w", err))
	}

	return d
})

// About is what holds for all calls.
func About() string { return read().Info.Description }

// Calls are all calls of the API, in the document's order.
func Calls() []Call {
	d := read()
	var calls []Call
	for _, path := range d.Paths {
		for _, op := range path.value {
			calls = append(calls, d.call(strings.ToUpper(op.name), path.name, op.value))
		}
	}

	return calls
}

func (d described) call(method, path string, op operation) Call {
	c := Call{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, About: op.Description}
	for _, way := range op.Security {
		c.Scope = strings.Join(way["key"], " ")
	}
	for _, p := range op.Parameters {
		if p.Ref != "" {
			p = d.Components.Parameters.of(p.Ref)
		}
		c.Params = append(c.Params, Field{Name: p.Name, In: p.In, Type: d.kind(p.Schema), Needed: p.Required, About: p.Description})
	}
	for _, m := range op.RequestBody.Content {
		c.Body = d.fields(m.Schema, "", 0)
		c.Example, _ = json.MarshalIndent(d.example(m.Schema, 0), "", "  ") //nolint:errchkjson // made of maps, lists and texts
	}
	for _, r := range op.Responses {
		said := r.value
		if said.Ref != "" {
			said = d.Components.Responses.of(said.Ref)
		}
		a := Answer{Status: r.name, About: said.Description}
		if r.name >= "400" {
			c.Errors = append(c.Errors, a)
			continue
		}
		for _, m := range said.Content {
			a.Fields = d.fields(m.Schema, "", 0)
		}
		c.Answer = a
	}

	return c
}

// Refusal lists the fields of every refusal.
func Refusal() []Field {
	d := read()

	return d.fields(schema{Ref: "#/components/schemas/Problem"}, "", deepest)
}
