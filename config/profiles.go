package config

import (
	"embed"
	"fmt"
	"io"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Profile is a named set of trunk settings: a trunk that names it has them as
// its defaults. Only what was set counts.
type Profile struct {
	Trunk

	set []string // keys
}

// shippedFiles are the profiles that a configuration can name without having
// them.
//
//go:embed profiles/*.yaml
var shippedFiles embed.FS

// Shipped are the profiles that come with the program.
var Shipped = sync.OnceValue(func() []Profile {
	entries, err := shippedFiles.ReadDir("profiles")
	if err != nil {
		panic(err) // they are in the program
	}
	var all []Profile
	for _, e := range entries {
		text, err := shippedFiles.ReadFile(path.Join("profiles", e.Name()))
		if err != nil {
			panic(err)
		}
		c := Config{where: origins{}}
		r := &reader{name: e.Name(), where: c.where}
		r.file(&c, text)
		if len(r.problems) > 0 {
			panic(r.problems)
		}
		c.noteSet()
		all = append(all, c.Profiles...)
	}
	return all
})

// PrintShipped writes the shipped profiles as a part of a file that Load reads.
func PrintShipped(w io.Writer) error {
	only := struct {
		Profiles []Profile `key:"profiles"`
	}{Shipped()}
	return writeTree(w, reflect.ValueOf(only), true)
}

// noteSet notes in each profile which keys were set.
func (c *Config) noteSet() {
	for i := range c.Profiles {
		p, key := &c.Profiles[i], at("profiles", i)
		for _, s := range settings(reflect.ValueOf(&p.Trunk).Elem()) {
			if c.where.set(join(key, s.key)) && !slices.Contains(p.set, s.key) {
				p.set = append(p.set, s.key)
			}
		}
	}
}

// set tells whether a key, or an entry of the table that it is, was given.
func (o origins) set(key string) bool {
	if _, ok := o[key]; ok {
		return true
	}
	for k := range o {
		if strings.HasPrefix(k, key+".") {
			return true
		}
	}
	return false
}

// applyProfiles gives each trunk what its profile sets and the trunk does not.
func (c *Config) applyProfiles() Problems {
	c.noteSet()
	k := &checker{where: c.where}
	used := map[string]bool{}
	known := map[string]*Profile{}
	for i := range Shipped() {
		known[Shipped()[i].Name] = &Shipped()[i]
	}
	seen := map[string]bool{}
	for i := range c.Profiles {
		p, key := &c.Profiles[i], at("profiles", i)
		if k.needed(key+".name", p.Name) && !word(p.Name) {
			k.wrong(key+".name", "%.80q: use 1 to 64 letters, digits, . _ and -", p.Name)
		}
		k.once(seen, key+".name", p.Name)
		if p.Trunk.Profile != "" {
			k.wrong(key+".profile", "a profile has none itself")
		}
		known[p.Name] = p
	}
	for i := range c.Trunks {
		t, key := &c.Trunks[i], at("trunks", i)
		if t.Profile == "" {
			continue
		}
		p, ok := known[t.Profile]
		if !ok {
			k.wrong(key+".profile", "%s", noProfile(t.Profile, known))
			continue
		}
		used[p.Name] = true
		c.apply(t, key, p)
	}
	for i := range c.Profiles {
		if p := &c.Profiles[i]; p.Name != "" && !used[p.Name] {
			c.notes = append(c.notes, fmt.Sprintf("no trunk has the profile %s, so its values were not checked", p.Name))
		}
	}
	return k.problems
}

func (c *Config) apply(t *Trunk, key string, p *Profile) {
	from := settings(reflect.ValueOf(&p.Trunk).Elem())
	index := slices.IndexFunc(c.Profiles, func(o Profile) bool { return o.Name == p.Name })
	for _, s := range settings(reflect.ValueOf(t).Elem()) {
		own := join(key, s.key)
		if s.key == "name" || s.key == "profile" || !slices.Contains(p.set, s.key) || c.where.set(own) {
			continue
		}
		if f, ok := find(from, s.key); ok {
			s.value.Set(f.value)
			c.where[own] = "profile " + p.Name
			if index >= 0 {
				c.where[own] += ", " + c.where.where(join(at("profiles", index), s.key))
			}
		}
	}
}

func noProfile(typed string, known map[string]*Profile) string {
	names := make([]string, 0, len(known))
	for n := range known {
		names = append(names, n)
	}
	slices.Sort(names)
	if n := nearest(typed, names, len(typed)/3+1); n != "" {
		return fmt.Sprintf("there is no profile %.64q: did you mean %s?", typed, n)
	}
	return fmt.Sprintf("there is no profile %.64q: use %s, or make one in profiles", typed, alternatives(names))
}
