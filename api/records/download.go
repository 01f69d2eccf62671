package records

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"axgate/archive"
)

// Fetch answers with the bytes of a recording, or a range of them, to whoever
// has a link that holds.
func (l *Library) Fetch(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		wrongMethod.Write(w)
		return
	}
	file := strings.TrimPrefix(r.URL.Path, Download)
	if !isName(file) || !l.cfg.Links.check(file, r.URL.Query(), l.cfg.Now()) {
		noRecord.Write(w)
		return
	}
	if l.cfg.Stored != nil && l.cfg.Redirect && r.Method == http.MethodGet && !l.cfg.Files.Has(file) {
		l.redirect(w, r, file)
		return
	}
	f, info, err := l.open(r.Context(), file)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.cfg.Log.Error().Err(err).Str("recording", file).Msg("open a recording that is asked for")
		}
		noRecord.Write(w)
		return
	}
	defer f.Close()
	content, bytes, err := l.cfg.Ring.Decrypted(f, info.Bytes, file)
	if err != nil {
		l.cfg.Log.Error().Err(err).Str("recording", file).Msg("read a recording that is asked for")
		noRecord.Write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "audio/wav")
	h.Set("Content-Disposition", `attachment; filename="`+file+`"`)
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// A writer without deadlines is none of a server's.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience(bytes)))
	http.ServeContent(w, r, file, time.Time{}, content)
}

// open opens a recording where it is.
func (l *Library) open(ctx context.Context, file string) (archive.Content, archive.File, error) {
	f, info, err := l.cfg.Files.Open(file)
	if err == nil || l.cfg.Stored == nil || !errors.Is(err, fs.ErrNotExist) {
		return f, info, err
	}
	return l.cfg.Stored.Open(ctx, file)
}

// redirect leads whoever has a link that holds to the store, which got the file
// since the link was made, or tells that it is nowhere.
func (l *Library) redirect(w http.ResponseWriter, r *http.Request, file string) {
	f, _, err := l.cfg.Stored.Open(r.Context(), file)
	address := ""
	if err == nil {
		address, err = l.cfg.Stored.Address(r.Context(), file, l.cfg.Links.left(r.URL.Query(), l.cfg.Now()))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.cfg.Log.Error().Err(err).Str("recording", file).Msg("look in the store for a recording that is asked for")
		}
		noRecord.Write(w)
		return
	}
	w.Header().Set("Cache-Control", "private, no-store")
	http.Redirect(w, r, address, http.StatusFound)
}

// patience is how long the slowest client may take for so many bytes.
func patience(size int64) time.Duration {
	const least, perSecond = 30 * time.Second, 16 << 10 // twice the speed at which it is heard
	return least + time.Duration(size/perSecond)*time.Second
}
