package provision

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/prompts"
	"axgate/routing"
)

// studio is a service with an app, for prompts alone: they never touch the
// cache.
type studio struct {
	*Service
	t    *testing.T
	ctx  context.Context
	dir  *prompts.Dir
	path string
	now  time.Time
}

func newStudio(t *testing.T) *studio {
	s := &studio{t: t, ctx: t.Context(), path: filepath.Join(t.TempDir(), "prompts"), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	l, err := ledger.Open(s.ctx, ledgertest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	require.NoError(t, l.EnsureAccount(s.ctx, ledger.Account{SP: "demo", MaxApps: 10}, s.now))
	for _, key := range []string{"app", "other"} {
		_, err = l.CreateApp(s.ctx, ledger.App{App: routing.App{Key: key, SP: "demo", Mode: routing.AXB}, Secret: "s", Created: s.now, Signing: ledger.SignWSSE})
		require.NoError(t, err)
	}
	s.dir, err = prompts.OpenDir(s.path)
	require.NoError(t, err)
	s.Service, err = New(Config{Ledger: l, Cache: struct{ Cache }{}, Plan: routing.ChinaPlan(), Prompts: s.dir, Now: func() time.Time { return s.now }})
	require.NoError(t, err)
	return s
}

// wait is a file that is right.
func (s *studio) wait() []byte {
	s.t.Helper()
	b, err := os.ReadFile("../prompts/samples/please_wait.wav")
	require.NoError(s.t, err)
	return b
}

// tone is an MP3 file of a second.
func (s *studio) tone() []byte {
	s.t.Helper()
	b, err := os.ReadFile("../prompts/testdata/tone.mp3")
	require.NoError(s.t, err)
	return b
}

func (s *studio) upload(name string) ledger.Prompt {
	s.t.Helper()
	p, err := s.UploadPrompt(s.ctx, PromptUpload{App: "app", Name: name, File: s.wait()})
	require.NoError(s.t, err)
	return p
}

// refused checks code, field and words of a refusal.
func (s *studio) refused(err error, code, field string, words ...string) {
	s.t.Helper()
	var e *Error
	require.True(s.t, errors.As(err, &e), "%v", err)
	require.Equal(s.t, code, e.Code)
	require.Equal(s.t, field, e.Field)
	for _, w := range words {
		require.ErrorContains(s.t, err, w)
	}
}

// nameable tells whether the app can name a prompt.
func (s *studio) nameable(app, name string) error {
	return s.promptApproved(s.ctx, app, "recordHintTone", name)
}

func TestPromptIsReviewed(t *testing.T) {
	s := newStudio(t)
	uploaded := s.now
	p := s.upload("wait.wav")
	require.Equal(t, ledger.Prompt{App: "app", Name: "wait.wav", State: ledger.PromptPending, Bytes: int64(len(s.wait())), Length: p.Length,
		SHA256: prompts.Sum(s.wait()), Uploaded: p.Uploaded}, p)
	require.True(t, uploaded.Equal(p.Uploaded))
	require.InDelta(t, len(s.wait())/8000, p.Length.Seconds(), 1)
	s.refused(s.nameable("app", "wait.wav"), "1010002", "recordHintTone", "wait.wav", "pending")
	approved, err := s.ApprovedPrompts(s.ctx)
	require.NoError(t, err)
	require.Empty(t, approved)

	s.now = s.now.Add(time.Hour)
	p, err = s.ApprovePrompt(s.ctx, "app", "wait.wav")
	require.NoError(t, err)
	require.Equal(t, ledger.PromptApproved, p.State)
	require.True(t, s.now.Equal(p.Reviewed))
	require.NoError(t, s.nameable("app", "wait.wav"))
	s.refused(s.nameable("other", "wait.wav"), "1010002", "recordHintTone")
	approved, err = s.ApprovedPrompts(s.ctx)
	require.NoError(t, err)
	require.Equal(t, []prompts.Approved{{App: "app", Name: "wait.wav", SHA256: prompts.Sum(s.wait())}}, approved)

	_, err = s.RejectPrompt(s.ctx, "app", "wait.wav", "")
	s.refused(err, "1010002", "reason")
	_, err = s.RejectPrompt(s.ctx, "app", "wait.wav", strings.Repeat("x", 257))
	s.refused(err, "1010002", "reason", "257")
	p, err = s.RejectPrompt(s.ctx, "app", "wait.wav", "too loud")
	require.NoError(t, err)
	require.Equal(t, "too loud", p.Reason)
	s.refused(s.nameable("app", "wait.wav"), "1010002", "recordHintTone", "rejected")
	approved, err = s.ApprovedPrompts(s.ctx)
	require.NoError(t, err)
	require.Empty(t, approved)
}

// TestPromptsArePlayed: the whole way from upload to sound.
func TestPromptsArePlayed(t *testing.T) {
	s := newStudio(t)
	l, err := prompts.Open(s.ctx, prompts.Options{Dir: s.dir, Approved: s.ApprovedPrompts})
	require.NoError(t, err)
	heard := func() bool {
		require.NoError(t, l.Refresh(s.ctx))
		_, alaw, ok := l.Clip(&routing.App{Key: "app"}, "wait.wav", routing.SceneNone)
		return ok && len(alaw) > 8000
	}
	s.upload("wait.wav")
	require.False(t, heard())
	_, err = s.ApprovePrompt(s.ctx, "app", "wait.wav")
	require.NoError(t, err)
	require.True(t, heard())
	require.NoError(t, s.DeletePrompt(s.ctx, "app", "wait.wav"))
	require.False(t, heard())
	s.upload("wait.wav")
	require.False(t, heard(), "a new file of that name is to be reviewed")
}

func TestUploadRefuses(t *testing.T) {
	s := newStudio(t)
	s.upload("there.wav")
	for _, c := range []struct {
		name  string
		u     PromptUpload
		code  string
		field string
		says  string
	}{
		{"no app", PromptUpload{App: "nobody", Name: "a.wav", File: s.wait()}, "1010003", "", "no app"},
		{"name", PromptUpload{App: "app", Name: "../a.wav", File: s.wait()}, "1010002", "file", "letters, digits"},
		{"no name", PromptUpload{App: "app", File: s.wait()}, "1010002", "file", "no name"},
		{"no name, converted", PromptUpload{App: "app", File: s.tone(), Convert: true}, "1010002", "file", "no name"},
		{"shipped", PromptUpload{App: "app", Name: "busy.wav", File: s.wait()}, "1010002", "file", "shipped"},
		{"shipped, by its other name", PromptUpload{App: "app", Name: "extendNumInputDefault.wav", File: s.wait()}, "1010002", "file", "shipped"},
		{"there already", PromptUpload{App: "app", Name: "there.wav", File: s.wait()}, "1010002", "file", "delete it first"},
		{"MP3", PromptUpload{App: "app", Name: "a.wav", File: s.tone()}, "1010002", "file", "not a WAV file"},
		{"text, converted", PromptUpload{App: "app", Name: "a.wav", File: []byte("text"), Convert: true}, "1010002", "file", "neither WAV nor MP3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.UploadPrompt(s.ctx, c.u)
			s.refused(err, c.code, c.field, c.says)
		})
	}
	list, err := s.Prompts(s.ctx, "")
	require.NoError(t, err)
	require.Len(t, list, 1)
	files, err := os.ReadDir(filepath.Join(s.path, "app"))
	require.NoError(t, err)
	require.Len(t, files, 1)
}

func TestUploadConverts(t *testing.T) {
	s := newStudio(t)
	p, err := s.UploadPrompt(s.ctx, PromptUpload{App: "app", Name: "tone.mp3", File: s.tone(), Convert: true})
	require.NoError(t, err)
	require.Equal(t, "tone.wav", p.Name)
	require.InDelta(t, 1, p.Length.Seconds(), 0.1)
	b, err := s.PromptFile(s.ctx, "app", "tone.wav")
	require.NoError(t, err)
	_, err = prompts.Check("tone.wav", b)
	require.NoError(t, err)
}

func TestMostPrompts(t *testing.T) {
	s := newStudio(t)
	for i := range mostPrompts {
		require.NoError(t, s.ledger.PutPrompt(s.ctx, ledger.Prompt{App: "app", Name: strconv.Itoa(i) + ".wav", State: ledger.PromptPending, Uploaded: s.now}))
	}
	_, err := s.UploadPrompt(s.ctx, PromptUpload{App: "app", Name: "a.wav", File: s.wait()})
	s.refused(err, "1012009", "file", "500")
	_, err = s.UploadPrompt(s.ctx, PromptUpload{App: "other", Name: "a.wav", File: s.wait()})
	require.NoError(t, err)
}

// TestApproveLooksAtTheFile: what is approved is what was uploaded.
func TestApproveLooksAtTheFile(t *testing.T) {
	s := newStudio(t)
	s.upload("a.wav")
	require.NoError(t, s.dir.Put("app", "a.wav", []byte("other")))
	_, err := s.ApprovePrompt(s.ctx, "app", "a.wav")
	s.refused(err, "1010002", "name", "not the one that was uploaded")
	require.NoError(t, s.dir.Drop("app", "a.wav"))
	_, err = s.ApprovePrompt(s.ctx, "app", "a.wav")
	s.refused(err, "1010002", "name", "gone")
	_, err = s.RejectPrompt(s.ctx, "app", "a.wav", "gone")
	require.NoError(t, err)
	require.NoError(t, s.DeletePrompt(s.ctx, "app", "a.wav"))
}

func TestUnknownPrompt(t *testing.T) {
	s := newStudio(t)
	_, err := s.ApprovePrompt(s.ctx, "app", "a.wav")
	s.refused(err, "1010002", "name", "a.wav")
	_, err = s.RejectPrompt(s.ctx, "app", "a.wav", "why")
	s.refused(err, "1010002", "name")
	s.refused(s.DeletePrompt(s.ctx, "app", "a.wav"), "1010002", "name")
	_, err = s.PromptFile(s.ctx, "app", "../../axgate.db")
	s.refused(err, "1010002", "name")
	_, err = s.Prompts(s.ctx, "nobody")
	s.refused(err, "1010003", "")
	s.refused(s.nameable("app", "a.wav"), "1010002", "recordHintTone", "a.wav")
	s.refused(s.nameable("app", "a b.wav"), "1010002", "recordHintTone", "letters, digits")
}

// TestShippedPrompts can be named, and listened to, without an upload.
func TestShippedPrompts(t *testing.T) {
	s := newStudio(t)
	for _, name := range []string{"busy.wav", "extendNumErrorDefault.wav"} {
		require.NoError(t, s.nameable("app", name))
		b, err := s.PromptFile(s.ctx, "app", name)
		require.NoError(t, err)
		d, _ := prompts.ByName(name)
		require.Equal(t, d.WAV, b)
		b[0]++ // the caller's own
		require.NotEqual(t, d.WAV, b)
	}
}
