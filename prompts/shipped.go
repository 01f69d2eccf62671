package prompts

import (
	"embed"
	"fmt"
	"sync"

	"axgate/media/wav"
	"axgate/routing"
)

// Shipped is a file that comes with the program. Its slices are shared: they
// must not be changed.
type Shipped struct {
	Scene routing.Scene
	Name  string
	WAV   []byte // the whole file
	ALaw  []byte // its samples
}

//go:embed shipped/*.wav
var embedded embed.FS

// aliases are names by which the service that clients come from knows shipped
// files (codes section 7).
var aliases = map[string]string{
	"extendNumInputDefault.wav": fileName(routing.SceneEnter),
	"extendNumErrorDefault.wav": fileName(routing.SceneWrong),
}

func fileName(scene routing.Scene) string { return string(scene) + ".wav" }

var shipped = sync.OnceValues(func() ([]Shipped, error) {
	var all []Shipped
	for _, e := range catalogue {
		if e.Ships == Never {
			continue
		}
		s := Shipped{Scene: e.Scene, Name: fileName(e.Scene)}
		var err error
		if s.WAV, err = embedded.ReadFile("shipped/" + s.Name); err != nil {
			return nil, fmt.Errorf("read the shipped prompt of %s: %w", e.Scene, err)
		}
		f, err := wav.Parse(s.WAV)
		if err != nil {
			return nil, fmt.Errorf("shipped prompt %s: %w", s.Name, err)
		}
		s.ALaw = f.Data
		all = append(all, s)
	}
	return all, nil
})

// Defaults lists the shipped files in the order of the catalogue.
func Defaults() []Shipped {
	all, _ := shipped() // Open tells of an error
	return append([]Shipped(nil), all...)
}

// Default is the shipped file of a scene; not ok if there is none.
func Default(scene routing.Scene) (name string, alaw []byte, ok bool) {
	s, ok := ByName(fileName(scene))
	return s.Name, s.ALaw, ok
}

// ByName is the shipped file of a name, its own or that of the service that
// clients come from.
func ByName(name string) (Shipped, bool) {
	if own, is := aliases[name]; is {
		name = own
	}
	all, _ := shipped()
	for _, s := range all {
		if s.Name == name {
			return s, true
		}
	}
	return Shipped{}, false
}
