package config

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// mask stands for a secret.
const mask = "********"

// Print writes the configuration as a file that Load reads, with secrets
// masked.
func (c *Config) Print(w io.Writer) error { return c.write(w, true) }

// Write writes it with its secrets.
func (c *Config) Write(w io.Writer) error { return c.write(w, false) }

func (c *Config) write(w io.Writer, masked bool) error {
	return writeTree(w, reflect.ValueOf(c).Elem(), masked)
}

func writeTree(w io.Writer, section reflect.Value, masked bool) error {
	text, err := yaml.MarshalWithOptions(tree(section, masked), yaml.IndentSequence(true))
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// tree is a section in the order of its settings; of a profile only what was
// set.
func tree(section reflect.Value, masked bool) yaml.MapSlice {
	var out yaml.MapSlice
	profile, partial := section.Interface().(Profile)
	for _, s := range settings(section) {
		if partial && !slices.Contains(profile.set, s.key) {
			continue
		}
		out = append(out, yaml.MapItem{Key: s.key, Value: shown(s, masked)})
	}
	return out
}

func shown(s setting, masked bool) any {
	v := s.value
	switch {
	case s.secret && masked && v.Kind() == reflect.Map:
		table := map[string]string{}
		for _, k := range v.MapKeys() {
			table[k.String()] = mask
		}
		return table
	case s.secret && masked && v.String() != "":
		return mask
	case v.Type() == durationType:
		return time.Duration(v.Int()).String()
	case v.Kind() == reflect.Struct:
		return tree(v, masked)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		list := make([]yaml.MapSlice, v.Len())
		for i := range list {
			list[i] = tree(v.Index(i), masked)
		}
		return list
	}
	return v.Interface()
}

// Key is one setting, for those who want to know what there is.
type Key struct {
	Path, Variable, Default, Help string
}

// Keys lists every setting there is.
func Keys() []Key {
	c := Default()
	return keys(reflect.ValueOf(&c).Elem(), "", strings.TrimSuffix(prefix, "_"))
}

func keys(section reflect.Value, path, name string) []Key {
	var all []Key
	for _, s := range settings(section) {
		k := Key{join(path, s.key), name + "_" + strings.ToUpper(s.key), "", s.help}
		t := s.value.Type()
		switch {
		case t.Kind() == reflect.Struct:
			all = append(all, keys(s.value, k.Path, k.Variable)...)
			continue
		case t == reflect.TypeFor[[]Profile]():
			all = append(all, k, Key{k.Path + "[0].name", k.Variable + "_0_NAME", "", "by which trunks name it; the other keys are those of trunks"})
			continue
		case t.Kind() == reflect.Slice && !plain(t.Elem()):
			all = append(all, k)
			all = append(all, keys(element(t), k.Path+"[0]", k.Variable+"_0")...)
			continue
		case t.Kind() == reflect.Map:
			k.Variable += "_…"
		case t.Kind() == reflect.Slice:
			k.Default = strings.Join(s.value.Interface().([]string), ",")
		case t == durationType:
			k.Default = time.Duration(s.value.Int()).String()
		default:
			k.Default = fmt.Sprint(s.value.Interface())
		}
		all = append(all, k)
	}
	return all
}
