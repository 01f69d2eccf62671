package manage_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/prompts"
)

// form is a file as browsers send it.
func form(t *testing.T, name string, b []byte, convert string) (body []byte, kind string) {
	var out bytes.Buffer
	m := multipart.NewWriter(&out)
	part, err := m.CreateFormFile("file", name)
	require.NoError(t, err)
	_, err = part.Write(b)
	require.NoError(t, err)
	if convert != "" {
		require.NoError(t, m.WriteField("convert", convert))
	}
	require.NoError(t, m.Close())
	return out.Bytes(), m.FormDataContentType()
}

func TestPrompts(t *testing.T) {
	w := newWorld(t)
	right := prompts.Defaults()[0].WAV
	mp3, err := os.ReadFile("../../prompts/testdata/tone.mp3")
	require.NoError(t, err)
	upload := func(who, name string, b []byte, convert string) *answer {
		body, kind := form(t, name, b, convert)
		return w.ask(who, http.MethodPost, "/apps/ax/prompts", body, func(r *http.Request) { r.Header.Set("Content-Type", kind) })
	}
	put := func(who, path string, b []byte) *answer {
		return w.ask(who, http.MethodPut, path, b, func(r *http.Request) { r.Header.Set("Content-Type", "audio/wav") })
	}
	made := upload(theTenant, "sorry.wav", right, "").is(http.StatusCreated)
	require.Equal(t, []any{"sorry.wav", "pending"}, []any{made["name"], made["state"]})
	require.Equal(t, "tone.wav", upload(theTenant, "tone.mp3", mp3, "true").is(http.StatusCreated)["name"])
	put(theTenant, "/apps/ax/prompts/raw.wav", right).is(http.StatusCreated)
	put(theTenant, "/apps/ax/prompts/raw.wav", right).wrong("file")
	upload(theTenant, "tone2.mp3", mp3, "").wrong("file")
	upload(theTenant, "../sorry.wav", right, "").is(http.StatusUnprocessableEntity)
	put(theTenant, "/apps/ax/prompts/large.wav", make([]byte, prompts.MaxSource+1)).wrong("file")
	require.Equal(t, http.StatusRequestEntityTooLarge, put(theTenant, "/apps/ax/prompts/larger.wav", make([]byte, prompts.MaxSource+128<<10)).status)
	require.Equal(t, []string{"raw.wav", "sorry.wav", "tone.wav"}, w.get(demoReader, "/apps/ax/prompts").column("name"))

	w.post(theTenant, "/apps/ax/prompts/sorry.wav/approve", nil).is(http.StatusForbidden)
	require.Equal(t, "approved", w.post(theOperator, "/apps/ax/prompts/sorry.wav/approve", nil).is(http.StatusOK)["state"])
	w.ask(theTenant, http.MethodPatch, "/apps/ax", map[string]any{"prompts": map[string]string{"no_binding": "sorry.wav"}}).is(http.StatusOK)
	is := w.post(theOperator, "/apps/ax/prompts/raw.wav/reject", map[string]any{"reason": "there is music in it"}).is(http.StatusOK)
	require.Equal(t, []any{"rejected", "there is music in it"}, []any{is["state"], is["reason"]})
	w.post(theOperator, "/apps/ax/prompts/raw.wav/reject", map[string]any{"reason": ""}).wrong("reason")

	file := w.get(theTenant, "/apps/ax/prompts/sorry.wav")
	require.Equal(t, []any{http.StatusOK, "audio/wav"}, []any{file.status, file.header.Get("Content-Type")})
	require.Equal(t, right, file.body)
	require.Equal(t, right, w.get(theTenant, "/apps/ax/prompts/"+prompts.Defaults()[0].Name).body, "the shipped ones can be heard too")
	require.Equal(t, http.StatusNoContent, w.ask(theTenant, http.MethodDelete, "/apps/ax/prompts/sorry.wav", nil).status)
	w.ask(theTenant, http.MethodDelete, "/apps/ax/prompts/sorry.wav", nil).is(http.StatusNotFound)
	w.get(theTenant, "/apps/ax/prompts/sorry.wav").is(http.StatusNotFound)
}

func TestPromptTools(t *testing.T) {
	w := newWorld(t)
	right := prompts.Defaults()[0].WAV
	mp3, err := os.ReadFile("../../prompts/testdata/tone.mp3")
	require.NoError(t, err)
	require.Equal(t, true, w.post(theReader, "/prompts/check?name=a.wav", right).is(http.StatusOK)["right"])
	wrong := w.post(theReader, "/prompts/check?name=a.wav", mp3).is(http.StatusOK)
	require.Equal(t, false, wrong["right"])
	require.NotEmpty(t, wrong["wrong"])
	w.post(theReader, "/prompts/check", right).wrong("name")
	made := w.post(theReader, "/prompts/convert?name=a.mp3", mp3)
	require.Equal(t, http.StatusOK, made.status)
	_, err = prompts.Check("a.wav", made.body)
	require.NoError(t, err)
	w.post(theReader, "/prompts/convert?name=a.mp3", "nonsense").wrong("body")
	w.post(theReader, "/prompts/convert?name=a%20b.mp3", mp3).wrong("name")
	require.Contains(t, w.get(theReader, "/scenes").column("scene"), "no_binding")
}
