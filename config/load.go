package config

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Load reads the file at path (empty: none) and then the variables, given as
// os.Environ gives them, over base, and checks the result. The error is
// Problems with all that is wrong, unless the file cannot be read.
func Load(base Config, path string, environment []string) (Config, error) {
	c := base
	c.where, c.notes = origins{}, nil
	r := &reader{name: path, where: c.where}
	if path != "" {
		text, err := readFile(path)
		if err != nil {
			return Config{}, err
		}
		r.file(&c, text)
	}
	e := &environ{vars: variables(environment), where: c.where}
	e.read(&c)
	c.notes = e.strange()
	if problems := append(r.problems, e.problems...); len(problems) > 0 {
		return Config{}, problems
	}
	if problems := c.applyProfiles(); len(problems) > 0 {
		return Config{}, problems
	}
	if problems := c.check(); len(problems) > 0 {
		return Config{}, problems
	}
	return c, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("read the configuration: %s is larger than %d MiB", path, maxFile>>20)
	}
	return text, nil
}

func variables(environment []string) map[string]string {
	vars := map[string]string{}
	for _, v := range environment {
		if name, value, ok := strings.Cut(v, "="); ok && strings.HasPrefix(name, prefix) {
			vars[name] = value
		}
	}
	return vars
}
