package manage

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"axgate/ledger"
	"axgate/prompts"
	"axgate/provision"
)

const (
	promptsTag = "prompts"
	wave       = "audio/wav"
)

// Prompt is an uploaded prompt of an app.
type Prompt struct {
	AppKey   string    `json:"appKey" doc:"Whose it is." example:"demo-ax"`
	Name     string    `json:"name" doc:"Its name, by which apps and bindings name it." example:"sorry.wav"`
	State    string    `json:"state" enum:"pending,approved,rejected" doc:"Only an approved one can be named and is played." example:"approved"`
	Reason   string    `json:"reason,omitempty" doc:"Why it was rejected." example:"there is music in it"`
	Bytes    int64     `json:"bytes" doc:"Size of the file." example:"16058"`
	Seconds  float64   `json:"seconds" doc:"How long it plays." example:"2"`
	SHA256   string    `json:"sha256" doc:"Of the file, in hex." example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`
	Uploaded time.Time `json:"uploaded" doc:"When it came." example:"2026-01-02T03:04:05Z"`
	Reviewed time.Time `json:"reviewed,omitzero" doc:"When it was approved or rejected." example:"2026-01-02T04:04:05Z"`
}

func showPrompt(p *ledger.Prompt) Prompt {
	return Prompt{AppKey: p.App, Name: p.Name, State: string(p.State), Reason: p.Reason, Bytes: p.Bytes, Seconds: p.Length.Seconds(), SHA256: p.SHA256, Uploaded: p.Uploaded, Reviewed: p.Reviewed}
}

// PromptPath names a prompt of an app.
type PromptPath struct {
	AppPath
	Name string `path:"name" minLength:"1" maxLength:"128" pattern:"^[-A-Za-z0-9_.@]+$" doc:"The prompt." example:"sorry.wav"`
}

type promptOutput struct{ Body Prompt }

func (s *service) prompts() {
	add(s, op{id: "listPrompts", method: http.MethodGet, path: "/apps/{appKey}/prompts", who: anyone, subject: promptsTag, refuses: []int{http.StatusNotFound},
		summary: "List an app's prompts",
		about:   "The uploaded prompts of an app by their names, with the state of their review.",
	}, s.listPrompts)
	add(s, op{id: "uploadPrompt", method: http.MethodPost, path: "/apps/{appKey}/prompts", who: owner, subject: promptsTag, status: http.StatusCreated, maxBody: maxPrompt, refuses: []int{http.StatusNotFound, http.StatusConflict},
		summary: "Upload a prompt by a form",
		about:   "The file has to be A-law, 8000 Hz, mono, WAV, of at most 2 MB, unless `convert` asks to make it so from another WAV or an MP3 of at most 6 MB. It is reviewed before it can be named. A prompt is replaced by deleting it and uploading it anew.",
	}, s.uploadPrompt)
	add(s, op{id: "putPrompt", method: http.MethodPut, path: "/apps/{appKey}/prompts/{name}", who: owner, subject: promptsTag, status: http.StatusCreated, maxBody: maxPrompt, refuses: []int{http.StatusNotFound, http.StatusConflict},
		summary: "Upload a prompt as it is",
		about:   "Like uploadPrompt, with the file itself as the body of the request.",
	}, func(ctx context.Context, in *struct {
		PromptPath
		Convert bool   `query:"convert" doc:"Make it A-law if it is another WAV or MP3 file." example:"false"`
		RawBody []byte `contentType:"application/octet-stream"`
	}) (*promptOutput, error) {
		return s.upload(ctx, provision.PromptUpload{App: in.AppKey, Name: in.Name, File: in.RawBody, Convert: in.Convert})
	})
	add(s, op{id: "getPromptFile", method: http.MethodGet, path: "/apps/{appKey}/prompts/{name}", who: anyone, subject: promptsTag, gives: wave, refuses: []int{http.StatusNotFound},
		summary: "Download a prompt",
		about:   "The file of an app's prompt, in whatever state, or of a shipped prompt (see listScenes), to be listened to.",
	}, func(ctx context.Context, in *PromptPath) (*stream, error) {
		if _, err := s.ownApp(ctx, in.AppKey); err != nil {
			return nil, err
		}
		b, err := s.Changes.PromptFile(ctx, in.AppKey, in.Name)
		return file(wave, in.Name, b), noPrompt(err)
	})
	add(s, op{id: "deletePrompt", method: http.MethodDelete, path: "/apps/{appKey}/prompts/{name}", who: owner, subject: promptsTag, refuses: []int{http.StatusNotFound},
		summary: "Delete a prompt",
		about:   "Apps and bindings that name it stay as they are: what serves without it is played until one of that name is approved.",
	}, func(ctx context.Context, in *PromptPath) (*struct{}, error) {
		if _, err := s.ownApp(ctx, in.AppKey); err != nil {
			return nil, err
		}
		return nil, noPrompt(s.Changes.DeletePrompt(ctx, in.AppKey, in.Name))
	})
	s.promptReview()
	s.promptTools()
}

func (s *service) promptReview() {
	add(s, op{id: "approvePrompt", method: http.MethodPost, path: "/apps/{appKey}/prompts/{name}/approve", who: operator, subject: promptsTag, refuses: []int{http.StatusNotFound},
		summary: "Approve a prompt",
		about:   "From then on it can be named and is played. Its file has to be there as it was uploaded.",
	}, func(ctx context.Context, in *PromptPath) (*promptOutput, error) {
		if _, err := s.ownApp(ctx, in.AppKey); err != nil {
			return nil, err
		}
		p, err := s.Changes.ApprovePrompt(ctx, in.AppKey, in.Name)
		return &promptOutput{showPrompt(&p)}, noPrompt(err)
	})
	add(s, op{id: "rejectPrompt", method: http.MethodPost, path: "/apps/{appKey}/prompts/{name}/reject", who: operator, subject: promptsTag, refuses: []int{http.StatusNotFound},
		summary: "Reject a prompt",
		about:   "Also one that was approved: where it is named, what serves without it is played from now on.",
	}, func(ctx context.Context, in *struct {
		PromptPath
		Body struct {
			Reason string `json:"reason" minLength:"1" maxLength:"256" doc:"What is wrong with it." example:"there is music in it"`
		}
	}) (*promptOutput, error) {
		if _, err := s.ownApp(ctx, in.AppKey); err != nil {
			return nil, err
		}
		note(ctx, "%s", in.Body.Reason)
		p, err := s.Changes.RejectPrompt(ctx, in.AppKey, in.Name, in.Body.Reason)
		return &promptOutput{showPrompt(&p)}, noPrompt(err)
	})
}

func (s *service) listPrompts(ctx context.Context, in *struct {
	AppPath
	Page
}) (*listed[Prompt], error) {
	if _, err := s.ownApp(ctx, in.AppKey); err != nil {
		return nil, err
	}
	all, err := s.Changes.Prompts(ctx, in.AppKey) // an app has at most 500
	if err != nil {
		return nil, err
	}
	var seen []ledger.Prompt
	for _, p := range all {
		if p.Name > in.After {
			seen = append(seen, p)
		}
	}
	inOrder(seen, func(p ledger.Prompt) string { return p.Name })
	return paged(seen, in.Limit, showPrompt, func(p *ledger.Prompt) string { return p.Name }), nil
}

// PromptForm is what an upload consists of.
type PromptForm struct {
	File    huma.FormFile `form:"file" required:"true" doc:"The file; its name is that of the prompt."`
	Convert bool          `form:"convert" required:"false" doc:"Make it A-law if it is another WAV or MP3 file." example:"true"`
}

func (s *service) uploadPrompt(ctx context.Context, in *struct {
	AppPath
	RawBody huma.MultipartFormFiles[PromptForm]
}) (*promptOutput, error) {
	form := in.RawBody.Data()
	b, err := io.ReadAll(io.LimitReader(form.File, prompts.MaxSource+1))
	if err != nil {
		return nil, err
	}
	return s.upload(ctx, provision.PromptUpload{App: in.AppKey, Name: form.File.Filename, File: b, Convert: form.Convert})
}

func (s *service) upload(ctx context.Context, u provision.PromptUpload) (*promptOutput, error) {
	if _, err := s.ownApp(ctx, u.App); err != nil {
		return nil, err
	}
	note(ctx, "%.128s, %d bytes", u.Name, len(u.File))
	p, err := s.Changes.UploadPrompt(ctx, u)
	return &promptOutput{showPrompt(&p)}, err
}

// noPrompt has a prompt that is not there answered as such: in the path it is
// no wrong field.
func noPrompt(err error) error {
	if err == nil {
		return nil
	}
	p := asProblem(err)
	if p.Code == "1010002" && len(p.Errors) == 1 && p.Errors[0].Field == "name" {
		gone := missing(p.Errors[0].Message)
		gone.Code, gone.Errors = p.Code, p.Errors
		return gone
	}
	return err
}
