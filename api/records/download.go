package records

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"
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
	f, info, err := l.cfg.Files.Open(file)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.cfg.Log.Error().Err(err).Str("recording", file).Msg("open a recording that is asked for")
		}
		noRecord.Write(w)
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "audio/wav")
	h.Set("Content-Disposition", `attachment; filename="`+file+`"`)
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// A writer without deadlines is none of a server's.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience(info.Bytes)))
	http.ServeContent(w, r, file, time.Time{}, f)
}

// patience is how long the slowest client may take for so many bytes.
func patience(size int64) time.Duration {
	const least, perSecond = 30 * time.Second, 16 << 10 // twice the speed at which it is heard
	return least + time.Duration(size/perSecond)*time.Second
}
