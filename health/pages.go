package health

import (
	"encoding/json"
	"net/http"
)

// The paths of the pages.
const (
	LivePath  = "/livez"
	ReadyPath = "/readyz"
	FullPath  = "/healthz"
)

// Live answers 200 as long as the process moves, 503 once only another process
// would help. It says no more than a word.
func (w *Watch) Live(to http.ResponseWriter, _ *http.Request) { word(to, w.Report().Status < Stuck) }

// Ready answers 200 as long as new calls are taken here, else 503. It says no
// more than a word.
func (w *Watch) Ready(to http.ResponseWriter, _ *http.Request) { word(to, w.Report().Status < Down) }

func word(to http.ResponseWriter, well bool) {
	to.Header().Set("Content-Type", "text/plain; charset=utf-8")
	to.Header().Set("Cache-Control", "no-store")
	text := "ok\n"
	if !well {
		to.WriteHeader(http.StatusServiceUnavailable)
		text = "no\n"
	}
	_, _ = to.Write([]byte(text)) // who is gone does not hear it
}

// Full answers with the Report in JSON: 200, or 503 if no new calls are taken.
func (w *Watch) Full(to http.ResponseWriter, _ *http.Request) {
	r := w.Report()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		http.Error(to, err.Error(), http.StatusInternalServerError)
		return
	}
	to.Header().Set("Content-Type", "application/json")
	to.Header().Set("Cache-Control", "no-store")
	if r.Status >= Down {
		to.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = to.Write(append(text, '\n')) // likewise
}
