package store

import (
	"embed"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/*.lua
var sources embed.FS

// scripts are the Lua scripts of the cache. Each runs on the keys of one X, app,
// account or address, which share a slot of a Redis Cluster, and names all of them in
// KEYS. Its answer is signed: the term of the server, and what it says.
type scripts struct {
	look, extension       *redis.Script // what a call needs
	put, callback, forget *redis.Script // changes
	fill, commit, holding *redis.Script // loading X
	hold, release         *redis.Script // busy marks
	count, once           *redis.Script // API requests
	use                   *redis.Script // limits of toll fraud
	all                   []*redis.Script
	texts                 []string // of all
	who                   string   // text of one that says nothing besides the term
}

func newScripts() *scripts {
	s := &scripts{}
	prelude := source("prelude")
	for _, load := range []struct {
		to   **redis.Script
		name string
	}{
		{&s.look, "look"}, {&s.extension, "extension"}, {&s.put, "put"}, {&s.callback, "callback"}, {&s.forget, "forget"},
		{&s.fill, "fill"}, {&s.commit, "commit"}, {&s.holding, "holding"}, {&s.hold, "hold"}, {&s.release, "release"},
		{&s.count, "count"}, {&s.once, "once"}, {&s.use, "use"},
	} {
		text := prelude + signing(source(load.name))
		*load.to = redis.NewScript(text)
		s.all, s.texts = append(s.all, *load.to), append(s.texts, text)
	}
	s.who = prelude + signing("return 1\n")
	return s
}

// signing has a script's answer signed. term is the prelude's.
func signing(body string) string {
	return "local function main()\n" + body + "end\nreturn {term, main()}\n"
}

// source is the text of a script; a missing one cannot be: it is compiled in.
func source(name string) string {
	text, err := sources.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		return "error('the script " + name + " is missing from the program')"
	}
	return string(text)
}
