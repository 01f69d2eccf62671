package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// refusedFile has entries that the ledger will never take, a line of JSON for
// each with the reason. Nothing else knows of them: somebody has to look.
const refusedFile = "refused.jsonl"

// keepRefused adds an entry to the file, on the disk before it returns.
func keepRefused(dir string, text []byte, why error) error {
	line := struct {
		At    time.Time       `json:"at"`
		Why   string          `json:"why"`
		Entry json.RawMessage `json:"entry,omitempty"`
		Text  string          `json:"text,omitempty"`
	}{At: time.Now().UTC(), Why: why.Error()}
	if json.Valid(text) {
		line.Entry = text
	} else {
		line.Text = string(text)
	}
	b, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("keep a refused entry: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, refusedFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("keep a refused entry: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("keep a refused entry: %w", err)
	}
	return nil
}
