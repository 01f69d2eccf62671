package manage

import (
	"context"
	"net/http"
	"path"
	"strings"

	"axgate/prompts"
)

// Scene is a situation in which a prompt is played.
type Scene struct {
	Scene   string `json:"scene" doc:"Its name in an app's prompts and defaultPrompts." example:"no_binding"`
	Title   string `json:"title" doc:"What it is." example:"binding does not exist"`
	SetOn   string `json:"setOn" doc:"Where its file is set." example:"app"`
	Shipped string `json:"shipped,omitempty" doc:"The shipped file, if there is one." example:"no_binding.wav"`
	Unset   string `json:"unset,omitempty" doc:"What happens if no file is set." example:"hang up silently"`
}

// PromptCheck tells whether a file can be a prompt.
type PromptCheck struct {
	Right   bool    `json:"right" doc:"It can be uploaded as it is." example:"false"`
	Wrong   string  `json:"wrong,omitempty" doc:"What is wrong with it, and what is right." example:"sorry.wav: 16000 Hz: 8000 Hz is right"`
	Seconds float64 `json:"seconds,omitempty" doc:"How long it plays." example:"2"`
}

// ToolFile is a file that is not kept.
type ToolFile struct {
	Name    string `query:"name" required:"true" minLength:"1" maxLength:"128" doc:"The name of the file." example:"sorry.wav"`
	RawBody []byte `contentType:"application/octet-stream"`
}

func (s *service) promptTools() {
	add(s, op{id: "listScenes", method: http.MethodGet, path: "/scenes", who: anyone, subject: promptsTag,
		summary: "List the scenes of prompts",
		about:   "When prompts are played, which shipped file there is, and what happens without one.",
	}, func(context.Context, *struct{}) (*listed[Scene], error) {
		out := &listed[Scene]{List[Scene]{Items: []Scene{}}}
		for _, e := range prompts.Catalogue() {
			name, _, _ := prompts.Default(e.Scene)
			scene := Scene{string(e.Scene), e.Title, string(e.SetOn), name, e.Unset}
			if e.Instead != "" {
				scene.Unset = "that of " + string(e.Instead)
			}
			out.Body.Items = append(out.Body.Items, scene)
		}
		return out, nil
	})
	add(s, op{id: "checkPrompt", method: http.MethodPost, path: "/prompts/check", who: anyone, asks: true, subject: promptsTag, maxBody: maxPrompt,
		summary: "Check a prompt file",
		about:   "Tells whether the file, which is the body of the request, can be uploaded as it is; nothing is kept.",
	}, func(_ context.Context, in *ToolFile) (*struct{ Body PromptCheck }, error) {
		f, err := prompts.Check(in.Name, in.RawBody)
		if err != nil {
			return &struct{ Body PromptCheck }{PromptCheck{Wrong: err.Error()}}, nil
		}
		return &struct{ Body PromptCheck }{PromptCheck{Right: true, Seconds: f.Duration().Seconds()}}, nil
	})
	add(s, op{id: "convertPrompt", method: http.MethodPost, path: "/prompts/convert", who: anyone, asks: true, subject: promptsTag, gives: wave, maxBody: maxPrompt,
		summary: "Convert a file to a prompt",
		about:   "Makes an A-law WAV file, as prompts have to be, of another WAV or an MP3 of at most 6 MB, which is the body of the request; nothing is kept.",
	}, func(_ context.Context, in *ToolFile) (*stream, error) {
		name := strings.TrimSuffix(in.Name, path.Ext(in.Name)) + ".wav"
		if err := prompts.CheckName(name); err != nil {
			return nil, wrongField("name", err.Error())
		}
		b, err := prompts.Convert(in.RawBody)
		if err != nil {
			return nil, wrongField("body", err.Error())
		}
		return file(wave, name, b), nil
	})
}
