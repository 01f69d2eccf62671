package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// setting is a field of a section.
type setting struct {
	key    string
	help   string
	secret bool
	value  reflect.Value
}

// settings lists the fields of a section that can be set; those of an embedded
// struct are its own.
func settings(section reflect.Value) []setting {
	var all []setting
	for i := range section.NumField() {
		f := section.Type().Field(i)
		if f.Anonymous {
			all = append(all, settings(section.Field(i))...)
			continue
		}
		if key, ok := f.Tag.Lookup("key"); ok {
			all = append(all, setting{key, f.Tag.Get("help"), f.Tag.Get("secret") != "", section.Field(i)})
		}
	}
	return all
}

func keysOf(list []setting) []string {
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].key
	}
	return keys
}

var durationType = reflect.TypeFor[time.Duration]()

// plain tells whether a field takes one text.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64:
		return true
	}
	return false
}

// setText reads a text into a plain field. The error says what is right.
func setText(v reflect.Value, text string) error {
	switch {
	case v.Type() == durationType:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%.40q is not a duration: use a number with its unit, such as 500ms, 90s or 5m", text)
		}
		v.SetInt(int64(d))
	case v.Kind() == reflect.String:
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return errors.New("it has control characters")
		}
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		switch text {
		case "true", "false":
			v.SetBool(text == "true")
		default:
			return fmt.Errorf("%.40q is not true or false", text)
		}
	default:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%.40q is not a whole number", text)
		}
		v.SetInt(int64(n))
	}
	return nil
}

// setList reads texts into a list of plain values.
func setList(v reflect.Value, texts []string) error {
	list := reflect.MakeSlice(v.Type(), len(texts), len(texts))
	for i, t := range texts {
		if err := setText(list.Index(i), t); err != nil {
			return fmt.Errorf("element %d: %w", i+1, err)
		}
	}
	v.Set(list)
	return nil
}

// element makes a new element of a list of sections, with its defaults.
func element(list reflect.Type) reflect.Value {
	e := reflect.New(list.Elem())
	if f, ok := e.Interface().(fresh); ok {
		f.fresh()
	}
	return e.Elem()
}
