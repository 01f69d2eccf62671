package provision

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"axgate/ledger"
	"axgate/prompts"
)

// PromptFiles keeps the sound of uploaded prompts; prompts.Dir does.
type PromptFiles interface {
	Put(app, name string, wav []byte) error
	Get(app, name string) ([]byte, error) // fs.ErrNotExist if there is none
	Drop(app, name string) error
}

// Bounds of what an app may upload.
const (
	mostPrompts = 500
	mostReason  = 256 // bytes
)

// PromptUpload is a file to become a prompt of an app.
type PromptUpload struct {
	App     string // app_key
	Name    string // of the prompt; with Convert, it may end otherwise than in .wav
	File    []byte
	Convert bool // make it A-law if it is another WAV or MP3 file
}

// UploadPrompt stores a prompt, to be reviewed before it can be named or
// played. A prompt is replaced by deleting it and uploading it anew.
func (s *Service) UploadPrompt(ctx context.Context, u PromptUpload) (ledger.Prompt, error) {
	none := ledger.Prompt{}
	if u.Convert {
		if len(u.Name) > 0 {
			u.Name = u.Name[:len(u.Name)-len(path.Ext(u.Name))] + ".wav"
		}
		wav, err := prompts.Convert(u.File)
		if err != nil {
			return none, resultInvalid.refuse("file", "%v", err)
		}
		u.File = wav
	}
	f, err := prompts.Check(u.Name, u.File)
	if err != nil {
		return none, resultInvalid.refuse("file", "%v", err)
	}
	if err := s.uploadable(ctx, u.App, u.Name); err != nil {
		return none, err
	}
	// The file comes first: a row without one could be approved.
	if err := s.files.Put(u.App, u.Name, u.File); err != nil {
		return none, failed("store the file", err)
	}
	p := ledger.Prompt{App: u.App, Name: u.Name, State: ledger.PromptPending, Bytes: int64(len(u.File)), Length: f.Duration(),
		SHA256: prompts.Sum(u.File), Uploaded: s.now()}
	if err := s.ledger.PutPrompt(ctx, p); err != nil {
		return none, failed("store the prompt", err)
	}
	s.log.Info().Str("app", p.App).Str("prompt", p.Name).Dur("length", p.Length).Msg("a prompt was uploaded")
	return s.prompt(ctx, u.App, u.Name)
}

// uploadable tells whether an app may have a new prompt of that name.
func (s *Service) uploadable(ctx context.Context, app, name string) error {
	if err := s.promptsOf(ctx, app); err != nil {
		return err
	}
	if s.files == nil {
		return failed("store the file", errors.New("there is no directory of prompts"))
	}
	if _, ok := prompts.ByName(name); ok {
		return resultInvalid.refuse("file", "%s is the name of a shipped prompt: use another", name)
	}
	list, err := s.ledger.Prompts(ctx, app)
	if err != nil {
		return failed("list the prompts", err)
	}
	for _, p := range list {
		if p.Name == name {
			return resultInvalid.refuse("file", "there is a prompt %s already: delete it first", name)
		}
	}
	if len(list) >= mostPrompts {
		return resultMostReached.refuse("file", "the app has %d prompts: at most %d are possible", len(list), mostPrompts)
	}
	return nil
}

// promptsOf refuses an app that does not exist. Prompts can be prepared for
// one that is paused.
func (s *Service) promptsOf(ctx context.Context, app string) error {
	_, err := s.ledger.App(ctx, app)
	switch {
	case errors.Is(err, ledger.ErrUnknownApp):
		return resultUnknownApp.refuse("", "there is no app of that key")
	case err != nil:
		return failed("read the app", err)
	}
	return nil
}

func (s *Service) prompt(ctx context.Context, app, name string) (ledger.Prompt, error) {
	p, err := s.ledger.Prompt(ctx, app, name)
	switch {
	case errors.Is(err, ledger.ErrUnknownPrompt):
		return p, resultInvalid.refuse("name", "the app has no prompt %.128q", name)
	case err != nil:
		return p, failed("read the prompt", err)
	}
	return p, nil
}

// Prompts lists the prompts of an app, or of all apps if app is empty.
func (s *Service) Prompts(ctx context.Context, app string) ([]ledger.Prompt, error) {
	if app != "" {
		if err := s.promptsOf(ctx, app); err != nil {
			return nil, err
		}
	}
	list, err := s.ledger.Prompts(ctx, app)
	if err != nil {
		return nil, failed("list the prompts", err)
	}
	return list, nil
}

// PromptFile is the WAV file of a shipped prompt or, in any state, of one of
// the app's, to be listened to.
func (s *Service) PromptFile(ctx context.Context, app, name string) ([]byte, error) {
	if d, ok := prompts.ByName(name); ok {
		return append([]byte(nil), d.WAV...), nil
	}
	p, err := s.prompt(ctx, app, name)
	if err != nil {
		return nil, err
	}
	return s.reviewable(p)
}

// reviewable is the file that was uploaded as p.
func (s *Service) reviewable(p ledger.Prompt) ([]byte, error) {
	if s.files == nil {
		return nil, failed("read the file", errors.New("there is no directory of prompts"))
	}
	b, err := s.files.Get(p.App, p.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, resultInvalid.refuse("name", "the file of %s is gone: delete the prompt and upload it anew", p.Name)
	case err != nil:
		return nil, failed("read the file", err)
	case prompts.Sum(b) != p.SHA256:
		return nil, resultInvalid.refuse("name", "the file of %s is not the one that was uploaded: delete the prompt and upload it anew", p.Name)
	}
	return b, nil
}

// ApprovePrompt lets a prompt be named and played. Its file has to be there as
// it was uploaded.
func (s *Service) ApprovePrompt(ctx context.Context, app, name string) (ledger.Prompt, error) {
	p, err := s.prompt(ctx, app, name)
	if err != nil {
		return p, err
	}
	if _, err := s.reviewable(p); err != nil {
		return p, err
	}
	return s.review(ctx, p, ledger.PromptApproved, "")
}

// RejectPrompt refuses a prompt for a reason, also one that was approved:
// where it is named, what serves without it is played from now on.
func (s *Service) RejectPrompt(ctx context.Context, app, name, reason string) (ledger.Prompt, error) {
	p, err := s.prompt(ctx, app, name)
	switch {
	case err != nil:
		return p, err
	case reason == "":
		return p, resultInvalid.refuse("reason", "a prompt is rejected with a reason")
	case len(reason) > mostReason:
		return p, resultInvalid.refuse("reason", "it has %d bytes: at most %d are possible", len(reason), mostReason)
	}
	return s.review(ctx, p, ledger.PromptRejected, reason)
}

func (s *Service) review(ctx context.Context, p ledger.Prompt, state ledger.PromptState, reason string) (ledger.Prompt, error) {
	err := s.ledger.ReviewPrompt(ctx, p.App, p.Name, state, reason, s.now())
	if err != nil && !errors.Is(err, ledger.ErrUnknownPrompt) {
		return p, failed("store the review", err)
	}
	if err == nil {
		s.log.Info().Str("app", p.App).Str("prompt", p.Name).Str("state", string(state)).Str("reason", reason).Msg("a prompt was reviewed")
	}
	return s.prompt(ctx, p.App, p.Name) // which also tells that it was deleted meanwhile
}

// DeletePrompt removes a prompt. Apps and bindings that name it stay as they
// are: what serves without it is played until one of that name is approved.
func (s *Service) DeletePrompt(ctx context.Context, app, name string) error {
	p, err := s.prompt(ctx, app, name)
	if err != nil {
		return err
	}
	if err := s.ledger.DropPrompt(ctx, app, name); err != nil && !errors.Is(err, ledger.ErrUnknownPrompt) {
		return failed("delete the prompt", err)
	}
	s.log.Info().Str("app", p.App).Str("prompt", p.Name).Msg("a prompt was deleted")
	if s.files == nil {
		return nil
	}
	if err := s.files.Drop(p.App, p.Name); err != nil {
		// Nothing plays it any more, and the next upload of that name replaces it.
		s.log.Warn().Err(err).Str("app", p.App).Msg("the file of a deleted prompt stays")
	}
	return nil
}

// ApprovedPrompts lists what a prompts.Library may play.
func (s *Service) ApprovedPrompts(ctx context.Context) ([]prompts.Approved, error) {
	list, err := s.ledger.Prompts(ctx, "")
	if err != nil {
		return nil, failed("list the prompts", err)
	}
	var approved []prompts.Approved
	for _, p := range list {
		if p.State == ledger.PromptApproved {
			approved = append(approved, prompts.Approved{App: p.App, Name: p.Name, SHA256: p.SHA256})
		}
	}
	return approved, nil
}
