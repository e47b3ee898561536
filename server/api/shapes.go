package api

import (
	"fmt"
	"slices"
	"strings"
)

// deepest is how far fields within fields are listed.
const deepest = 3

// fields lists the fields of an object, those of objects within it under its name, and what a list holds under name[].
func (d described) fields(s schema, prefix string, depth int) (list []Field) {
	s = d.named(s)
	for s.Items != nil {
		s, prefix = d.named(*s.Items), prefix+"[]"
	}
	for _, p := range s.Properties {
		name := p.name
		if prefix != "" {
			name = prefix + "." + p.name
		}
		list = append(list, Field{Name: name, Type: d.kind(p.value), Needed: slices.Contains(s.Required, p.name), About: d.about(p.value)})
		if depth < deepest {
			list = append(list, d.fields(p.value, name, depth+1)...)
		}
	}

	return list
}

func (d described) named(s schema) schema {
	if s.Ref == "" {
		return s
	}
	of := d.Components.Schemas.of(s.Ref)
	if s.Description != "" {
		of.Description = s.Description
	}

	return of
}

func (d described) about(s schema) string { return d.named(s).Description }

// kind is the type of a value in a few words of JSON: string (uuid), integer 1 to 200, one of "a", "b", list of object.
func (d described) kind(s schema) string {
	s = d.named(s)
	if len(s.Enum) > 0 {
		choices := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			choices[i] = fmt.Sprint(v)
			if v == nil {
				choices[i] = "null"
			}
		}

		return strings.Join(choices, " | ")
	}
	kind := typeName(s.Type)
	switch {
	case s.Items != nil:
		return "list of " + d.kind(*s.Items)
	case s.Format != "":
		kind += " (" + s.Format + ")"
	case s.Minimum != nil && s.Maximum != nil:
		kind += fmt.Sprintf(" %v to %v", *s.Minimum, *s.Maximum)
	}
	if s.Default != nil {
		kind += fmt.Sprintf(", else %v", s.Default)
	}

	return kind
}

func typeName(of any) string {
	switch of := of.(type) {
	case string:
		return of
	case []any:
		names := make([]string, len(of))
		for i, name := range of {
			names[i] = fmt.Sprint(name)
		}

		return strings.Join(names, " or ")
	}

	return "any"
}

// example is a value of a schema: what it needs, or its first field where it needs none.
func (d described) example(s schema, depth int) any {
	s = d.named(s)
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Items != nil:
		return []any{d.example(*s.Items, depth+1)}
	case len(s.Properties) > 0 && depth <= deepest:
		made := map[string]any{}
		for i, p := range s.Properties {
			if slices.Contains(s.Required, p.name) || len(s.Required) == 0 && i == 0 {
				made[p.name] = d.example(p.value, depth+1)
			}
		}

		return made
	case s.Format == "uuid":
		return "0197f0a4-0000-7000-8000-000000000000"
	case s.Format == "date-time":
		return "the time, as 2006-01-02T15:04:05Z"
	}
	switch typeName(s.Type) {
	case "integer", "number":
		return 1
	case "boolean":
		return true
	case "object":
		return map[string]any{}
	}

	return "text"
}
