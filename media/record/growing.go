package record

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Growing is a file that a recording is written to, or was when its process was killed.
type Growing struct {
	Path string
	Name string // as which it is encrypted, if it is
}

// ListGrowing lists those in a directory.
func ListGrowing(dir string) (all []Growing, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the recordings that are written: %w", err)
	}
	for _, e := range entries {
		if _, _, ok := partOf(e.Name()); ok && e.Type().IsRegular() {
			all = append(all, Growing{filepath.Join(dir, e.Name()), strings.TrimSuffix(e.Name(), partSuffix)})
		}
	}
	return all, nil
}
