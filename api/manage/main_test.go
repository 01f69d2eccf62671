package manage_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// exercised are the requests that were carried out: method and path.
var exercised sync.Map

// known are all operations, by their ids: method and path. It is filled by
// TestRoles.
var known sync.Map

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
	if code == 0 && all {
		for _, id := range unused() {
			fmt.Fprintln(os.Stderr, "no test has the operation carried out:", id)
			code = 1
		}
	}
	os.Exit(code)
}

func unused() (ids []string) {
	known.Range(func(id, route any) bool {
		method, path, _ := strings.Cut(route.(string), " ")
		used := false
		exercised.Range(func(request, _ any) bool {
			m, at, _ := strings.Cut(request.(string), " ")
			used = m == method && fits(path, at)
			return !used
		})
		if !used {
			ids = append(ids, id.(string))
		}
		return true
	})
	return ids
}

// fits tells whether a path is one of a route with parameters, and of no route
// that names it literally: /numbers/counts is not /numbers/{x}.
func fits(route, path string) bool {
	pattern := []string{}
	for _, part := range strings.Split(route, "/") {
		if strings.HasPrefix(part, "{") {
			part = "*"
		}
		pattern = append(pattern, part)
	}
	ok, err := filepath.Match(strings.Join(pattern, "/"), path)
	literal := false
	known.Range(func(_, other any) bool {
		_, o, _ := strings.Cut(other.(string), " ")
		literal = literal || o == path && o != route
		return true
	})
	return err == nil && ok && !literal
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		route, path string
		want        bool
	}{{"/a/{b}/c", "/a/x/c", true}, {"/a/{b}/c", "/a/x/d", false}, {"/a/{b}", "/a/x/c", false}, {"/a", "/a", true}} {
		if fits(c.route, c.path) != c.want {
			t.Errorf("fits(%q, %q)", c.route, c.path)
		}
	}
}
