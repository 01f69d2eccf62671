package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 8 << 20

// reader brings a YAML file into a Config. It goes on after an error, so that
// all are told at once.
type reader struct {
	name     string
	where    origins
	problems Problems
}

// file reads YAML over what c has already.
func (r *reader) file(c *Config, text []byte) {
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		r.syntax(err)
		return
	}
	for _, doc := range tree.Docs {
		if doc.Body != nil && doc.Body.Type() != ast.NullType && doc.Body.Type() != ast.CommentType {
			r.section(reflect.ValueOf(c).Elem(), "", doc.Body)
		}
	}
}

// syntax notes that the file is no YAML. The library's text shows the place.
func (r *reader) syntax(err error) {
	var at interface{ GetToken() *token.Token }
	var what interface{ GetMessage() string }
	if errors.As(err, &at) && errors.As(err, &what) && at.GetToken() != nil {
		r.problems = append(r.problems, Problem{Where: r.line(at.GetToken()), Text: "this is not YAML: " + what.GetMessage()})
		return
	}
	r.problems = append(r.problems, Problem{Where: r.name, Text: "this is not YAML: " + err.Error()})
}

func (r *reader) line(t *token.Token) string {
	if t == nil || t.Position == nil {
		return r.name
	}
	return fmt.Sprintf("%s:%d", r.name, t.Position.Line)
}

func (r *reader) wrong(key string, n ast.Node, format string, args ...any) {
	r.problems = append(r.problems, Problem{key, r.line(n.GetToken()), fmt.Sprintf(format, args...)})
}

// pairs are the entries of a mapping.
func (r *reader) pairs(key string, n ast.Node) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	case *ast.NullNode:
		return nil
	}
	if key == "" {
		r.wrong(key, n, "this is no configuration: write its keys, each as key: value")
		return nil
	}
	r.wrong(key, n, "it is a section: write its keys beneath it, each as key: value")
	return nil
}

func (r *reader) section(v reflect.Value, path string, n ast.Node) {
	fields := settings(v)
	seen := map[string]bool{}
	for _, p := range r.pairs(path, n) {
		name := p.Key.GetToken().Value
		key := join(path, name)
		if seen[name] {
			r.wrong(key, p, "it stands here a second time")
			continue
		}
		seen[name] = true
		f, ok := find(fields, name)
		if !ok {
			r.wrong(key, p.Key, "%s", unknown(name, keysOf(fields)))
			continue
		}
		r.where[key] = r.line(p.Key.GetToken())
		r.value(f.value, key, p.Value)
	}
}

func find(fields []setting, key string) (setting, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return setting{}, false
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (r *reader) value(v reflect.Value, key string, n ast.Node) {
	if n.Type() == ast.NullType { // key: with nothing behind it
		return
	}
	t := v.Type()
	switch {
	case plain(t):
		text, ok := r.scalar(key, n)
		if !ok {
			return
		}
		if err := setText(v, text); err != nil {
			r.wrong(key, n, "%v", err)
		}
	case t.Kind() == reflect.Struct:
		r.section(v, key, n)
	case t.Kind() == reflect.Map:
		r.table(v, key, n)
	case plain(t.Elem()):
		r.list(v, key, n)
	default:
		r.sections(v, key, n)
	}
}

// scalar is the text of a value as it was written.
func (r *reader) scalar(key string, n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return strings.TrimRight(s.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		r.wrong(key, n, "anchors, aliases and tags are not read: write the value")
	default:
		r.wrong(key, n, "it takes one value, not a list or a section")
	}
	return "", false
}

func (r *reader) elements(key string, n ast.Node) ([]ast.Node, bool) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrong(key, n, "it is a list: write each element on a line of its own behind a dash")
		return nil, false
	}
	return s.Values, true
}

func (r *reader) list(v reflect.Value, key string, n ast.Node) {
	var texts []string
	if s, ok := n.(*ast.StringNode); ok { // one value, or several with commas
		texts = split(s.Value)
	} else {
		all, ok := r.elements(key, n)
		if !ok {
			return
		}
		for i, e := range all {
			text, ok := r.scalar(at(key, i), e)
			if !ok {
				return
			}
			texts = append(texts, text)
		}
	}
	if err := setList(v, texts); err != nil {
		r.wrong(key, n, "%v", err)
	}
}

func (r *reader) sections(v reflect.Value, key string, n ast.Node) {
	all, ok := r.elements(key, n)
	if !ok {
		return
	}
	list := reflect.MakeSlice(v.Type(), 0, len(all))
	for i, n := range all {
		e := element(v.Type())
		r.where[at(key, i)] = r.line(n.GetToken())
		r.section(e, at(key, i), n)
		list = reflect.Append(list, e)
	}
	v.Set(list)
}

func (r *reader) table(v reflect.Value, key string, n ast.Node) {
	table := map[string]string{}
	for _, p := range r.pairs(key, n) {
		name := entryName(v.Type(), p.Key.GetToken().Value)
		if _, twice := table[name]; twice {
			r.wrong(key, p, "it has one name twice: in the name of a header large letters are no difference, nor is _ for -")
			continue
		}
		if text, ok := r.scalar(join(key, name), p.Value); ok {
			table[name] = text
		}
	}
	v.Set(reflect.ValueOf(table).Convert(v.Type()))
}

func at(key string, i int) string { return fmt.Sprintf("%s[%d]", key, i) }

// split reads a list written on one line.
func split(text string) []string {
	var list []string
	for _, t := range strings.Split(text, ",") {
		if t = strings.TrimSpace(t); t != "" {
			list = append(list, t)
		}
	}
	return list
}
