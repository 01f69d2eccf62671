// Package prompts finds what callers hear: the catalogue of scenes with their
// fallbacks (behaviour section 4), the shipped files, the apps' uploaded ones,
// and what is right with an upload and how it is made so.
package prompts

import "axgate/routing"

// Place is where the file of a scene is set.
type Place string

// The places.
const (
	OnApp            Place = "app"
	OnBinding        Place = "binding"
	OnBindingThenApp Place = "binding, then app"
	OnPlatform       Place = "platform"
)

// Shipping is when the shipped file of a scene is played for an app that has
// no file of its own.
type Shipping int

// When the shipped file is played.
const (
	Never         Shipping = iota // there is none
	IfEnabled                     // the app has enabled it
	UnlessInforms                 // the app does not declare that it informs people itself
	Always
)

// Entry is a line of the catalogue.
type Entry struct {
	Scene   routing.Scene
	Title   string // for people
	SetOn   Place
	Ships   Shipping
	Instead routing.Scene // whose file serves if this scene has none
	Unset   string        // what the caller meets if nothing serves
}

const (
	silently = "hang up silently"
	ringing  = "callee's early media or ringing"
)

// catalogue is the table of section 4. The pre-call prompts of AX and AXB and
// the last-minute prompt have no scene: a binding names them or there are none.
var catalogue = []Entry{
	{routing.SceneNoPermission, "no call permission", OnApp, IfEnabled, "", silently},
	{routing.SceneNoBinding, "binding does not exist", OnApp, IfEnabled, "", silently},
	{routing.SceneFault, "service exception", OnApp, IfEnabled, "", silently},
	// An app must set it. Where its file is gone, for example deleted to be
	// replaced, a caller in silence would not know what to do.
	{routing.SceneEnter, "enter extension", OnApp, Always, "", ""},
	{routing.SceneWrong, "extension wrong, hanging up", OnApp, IfEnabled, "", silently},
	{routing.SceneWrongAgain, "extension wrong, enter again", OnApp, Never, routing.SceneEnter, ""},
	{routing.SceneNothing, "nothing entered, hanging up", OnApp, Never, routing.SceneWrong, silently},
	{routing.SceneNoCallback, "no callback record", OnBindingThenApp, IfEnabled, "", silently},
	{routing.SceneWaiting, "pre-call, waiting for A", OnApp, Never, "", ringing},
	{routing.SceneRecordHint, "record hint, to both", OnBinding, UnlessInforms, "", "silence"},
	{routing.SceneBusy, "busy", OnPlatform, Always, "", "busy tone"},
}

// Catalogue lists the scenes in the order of section 4.
func Catalogue() []Entry { return append([]Entry(nil), catalogue...) }

func entry(scene routing.Scene) (Entry, bool) {
	for _, e := range catalogue {
		if e.Scene == scene {
			return e, true
		}
	}
	return Entry{}, false
}

// Files names what may be played in a scene, the best first; what comes after
// serves if that is not there. file is what the binding names, or empty. None
// means silence. app is nil if nobody's X was called.
func Files(app *routing.App, file string, scene routing.Scene) []string {
	var names []string
	if file != "" {
		names = append(names, file)
	}
	for e, ok := entry(scene); ok; e, ok = entry(e.Instead) {
		if app != nil && app.Prompts[e.Scene] != "" {
			names = append(names, app.Prompts[e.Scene])
		}
		if e.shippedFor(app) {
			names = append(names, fileName(e.Scene))
		}
	}
	return names
}

func (e *Entry) shippedFor(app *routing.App) bool {
	switch e.Ships {
	case IfEnabled:
		return app != nil && app.Defaults[e.Scene]
	case UnlessInforms:
		return app == nil || !app.Informs
	}
	return e.Ships == Always
}
