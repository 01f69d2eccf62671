package prompts

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestFiles reads like the table of section 4. "own" names the scenes for which
// the app has a file of its own, "enabled" those with the shipped file.
func TestFiles(t *testing.T) {
	own := func(scenes ...routing.Scene) *routing.App {
		a := &routing.App{Key: "app", Prompts: map[routing.Scene]string{}}
		for _, s := range scenes {
			a.Prompts[s] = "own_" + string(s) + ".wav"
		}
		return a
	}
	enabled := func(a *routing.App, scenes ...routing.Scene) *routing.App {
		a.Defaults = map[routing.Scene]bool{}
		for _, s := range scenes {
			a.Defaults[s] = true
		}
		return a
	}
	informs := func(a *routing.App) *routing.App {
		a.Informs = true
		return a
	}
	all := []routing.Scene{"no_permission", "no_binding", "service_exception", "enter_extension", "extension_wrong",
		"extension_wrong_again", "nothing_entered", "no_callback", "waiting", "record_hint", "busy"}
	for _, c := range []struct {
		name  string
		app   *routing.App
		file  string
		scene routing.Scene
		want  []string // nil: silence
	}{
		{"no call permission: the app's", own("no_permission"), "", "no_permission", []string{"own_no_permission.wav"}},
		{"no call permission: the app's, else the shipped", enabled(own("no_permission"), "no_permission"), "", "no_permission", []string{"own_no_permission.wav", "no_permission.wav"}},
		{"no call permission: shipped", enabled(own(), "no_permission"), "", "no_permission", []string{"no_permission.wav"}},
		{"no call permission: unset", enabled(own("busy"), "busy"), "", "no_permission", nil},
		{"binding does not exist: the app's", own("no_binding"), "", "no_binding", []string{"own_no_binding.wav"}},
		{"binding does not exist: shipped", enabled(own(), "no_binding"), "", "no_binding", []string{"no_binding.wav"}},
		{"binding does not exist: unset", own(), "", "no_binding", nil},
		{"service exception: the app's", own("service_exception"), "", "service_exception", []string{"own_service_exception.wav"}},
		{"service exception: shipped", enabled(own(), "service_exception"), "", "service_exception", []string{"service_exception.wav"}},
		{"service exception: unset", own(), "", "service_exception", nil},
		{"enter extension: the app's", own("enter_extension"), "", "enter_extension", []string{"own_enter_extension.wav", "enter_extension.wav"}},
		{"enter extension: must be set, the shipped serves", own(), "", "enter_extension", []string{"enter_extension.wav"}},
		{"wrong, hanging up: the app's", own("extension_wrong"), "", "extension_wrong", []string{"own_extension_wrong.wav"}},
		{"wrong, hanging up: shipped", enabled(own(), "extension_wrong"), "", "extension_wrong", []string{"extension_wrong.wav"}},
		{"wrong, hanging up: unset", own(), "", "extension_wrong", nil},
		{"wrong, enter again: the app's", own("extension_wrong_again", "enter_extension"), "", "extension_wrong_again",
			[]string{"own_extension_wrong_again.wav", "own_enter_extension.wav", "enter_extension.wav"}},
		{"wrong, enter again: unset, the app's enter extension", own("enter_extension"), "", "extension_wrong_again", []string{"own_enter_extension.wav", "enter_extension.wav"}},
		{"wrong, enter again: not shipped", enabled(own(), all...), "", "extension_wrong_again", []string{"enter_extension.wav"}},
		{"nothing entered: the app's", own("nothing_entered"), "", "nothing_entered", []string{"own_nothing_entered.wav"}},
		{"nothing entered: unset, the app's wrong, hanging up", own("extension_wrong"), "", "nothing_entered", []string{"own_extension_wrong.wav"}},
		{"nothing entered: unset, the shipped wrong, hanging up", enabled(own(), "extension_wrong"), "", "nothing_entered", []string{"extension_wrong.wav"}},
		{"nothing entered: nothing set", enabled(own(), "nothing_entered"), "", "nothing_entered", nil},
		{"no callback: the binding's, then the app's, then the shipped", enabled(own("no_callback"), "no_callback"), "binding.wav", "no_callback",
			[]string{"binding.wav", "own_no_callback.wav", "no_callback.wav"}},
		{"no callback: the app's", own("no_callback"), "", "no_callback", []string{"own_no_callback.wav"}},
		{"no callback: unset", own(), "", "no_callback", nil},
		{"AXE pre-call: the app's", own("waiting"), "", "waiting", []string{"own_waiting.wav"}},
		{"AXE pre-call: not shipped", enabled(own(), all...), "", "waiting", nil},
		{"AX/AXB pre-call: the binding's", enabled(own(all...), all...), "binding.wav", "", []string{"binding.wav"}},
		{"AX/AXB pre-call: unset", enabled(own(all...), all...), "", "", nil},
		{"record hint: the binding's", own(), "binding.wav", "record_hint", []string{"binding.wav", "record_hint.wav"}},
		{"record hint: unset", own(), "", "record_hint", []string{"record_hint.wav"}},
		{"record hint: unset, the app informs", informs(enabled(own(), all...)), "", "record_hint", nil},
		{"record hint: the binding's, though the app informs", informs(own()), "binding.wav", "record_hint", []string{"binding.wav"}},
		{"busy: the platform's", own(), "", "busy", []string{"busy.wav"}},
		{"busy: nobody's X", nil, "", "busy", []string{"busy.wav"}},
		{"nobody's X", nil, "", "service_exception", nil},
		{"no such scene", enabled(own(all...), all...), "", "dancing", nil},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, Files(c.app, c.file, c.scene)) })
	}
}

// TestCatalogueIsWhole: each scene is there once, and its fallbacks end.
func TestCatalogueIsWhole(t *testing.T) {
	var scenes []routing.Scene
	for _, e := range Catalogue() {
		require.NotContains(t, scenes, e.Scene)
		scenes = append(scenes, e.Scene)
		require.NotEmpty(t, e.Title)
		steps := 0
		for f, ok := entry(e.Scene); ok; f, ok = entry(f.Instead) {
			steps++
			require.LessOrEqual(t, steps, len(catalogue), "the fallbacks of %s turn in a circle", e.Scene)
		}
	}
	slices.Sort(scenes)
	want := []routing.Scene{routing.SceneBusy, routing.SceneEnter, routing.SceneWrong, routing.SceneWrongAgain, routing.SceneNoBinding,
		routing.SceneNoCallback, routing.SceneNoPermission, routing.SceneNothing, routing.SceneRecordHint, routing.SceneFault, routing.SceneWaiting}
	slices.Sort(want)
	require.Equal(t, want, scenes)
}
