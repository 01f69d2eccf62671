package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// prefix begins the name of every variable.
const prefix = "AXGATE_"

// environ reads variables over the file.
type environ struct {
	vars     map[string]string
	used     map[string]bool
	names    []string // of all that could be set
	where    origins
	problems Problems
}

// read takes every variable that names a setting: AXGATE_SIP_UDP is sip.udp,
// AXGATE_TRUNKS_0_ADDRESS is trunks[0].address, AXGATE_APPS_0_PROMPTS_BUSY an
// entry of a table. Lists of plain values have commas.
func (e *environ) read(c *Config) {
	e.used = map[string]bool{}
	e.section(reflect.ValueOf(c).Elem(), "", strings.TrimSuffix(prefix, "_"))
}

func (e *environ) section(v reflect.Value, path, name string) {
	for _, f := range settings(v) {
		e.value(f.value, join(path, f.key), name+"_"+strings.ToUpper(f.key))
	}
}

func (e *environ) value(v reflect.Value, key, name string) {
	t := v.Type()
	switch {
	case t.Kind() == reflect.Struct:
		e.section(v, key, name)
	case t.Kind() == reflect.Map:
		e.table(v, key, name)
	case t.Kind() == reflect.Slice && !plain(t.Elem()):
		e.sections(v, key, name)
	default:
		e.names = append(e.names, name)
		text, ok := e.take(key, name)
		if !ok {
			return
		}
		err := error(nil)
		if plain(t) {
			err = setText(v, text)
		} else {
			err = setList(v, split(text))
		}
		if err != nil {
			e.problems = append(e.problems, Problem{key, name, err.Error()})
		}
	}
}

func (e *environ) take(key, name string) (string, bool) {
	text, ok := e.vars[name]
	if ok {
		e.used[name], e.where[key] = true, name
	}
	return text, ok
}

// sections reads elements by their numbers; those beyond the list's end are
// new ones.
func (e *environ) sections(v reflect.Value, key, name string) {
	for i := 0; ; i++ {
		one := fmt.Sprintf("%s_%d", name, i)
		if i >= v.Len() {
			if !e.any(one + "_") {
				return
			}
			v.Set(reflect.Append(v, element(v.Type())))
			e.where[at(key, i)] = one + "_…"
		}
		e.section(v.Index(i), at(key, i), one)
	}
}

func (e *environ) any(start string) bool {
	for name := range e.vars {
		if strings.HasPrefix(name, start) {
			return true
		}
	}
	return false
}

func (e *environ) table(v reflect.Value, key, name string) {
	table := map[string]string{}
	for _, k := range v.MapKeys() {
		table[k.String()] = v.MapIndex(k).String()
	}
	for _, n := range slices.Sorted(maps.Keys(e.vars)) {
		if entry, ok := strings.CutPrefix(n, name+"_"); ok {
			entry = entryName(v.Type(), strings.ToLower(entry))
			table[entry] = e.vars[n]
			e.used[n], e.where[join(key, entry)] = true, n
		}
	}
	if len(table) > 0 {
		v.Set(reflect.ValueOf(table).Convert(v.Type()))
	}
}

// strange lists variables that look like settings and are none. They are no
// errors, since others set such names too (Kubernetes does for a service
// called axgate).
func (e *environ) strange() []string {
	const mistyped = 3 // fewer wrong letters than this
	var notes []string
	for name := range e.vars {
		if e.used[name] {
			continue
		}
		if n := nearest(name, e.names, mistyped); n != "" {
			notes = append(notes, fmt.Sprintf("the variable %s sets nothing: did you mean %s?", name, n))
		}
	}
	slices.Sort(notes)
	return notes
}
