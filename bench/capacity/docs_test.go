package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

func docs(t *testing.T) string {
	text, err := os.ReadFile("../../docs/performance.md")
	require.NoError(t, err)
	_, text2, found := strings.Cut(string(text), "\n## What a region needs\n")
	require.True(t, found)
	return text2
}

// TestDocsHaveTheCosts: the table of costs has each of them, with its value.
func TestDocsHaveTheCosts(t *testing.T) {
	k, err := kong.New(&costs{}, defaults)
	require.NoError(t, err)
	text := docs(t)
	for _, f := range k.Model.Flags {
		if f.Name == "help" {
			continue
		}
		_, row, found := strings.Cut(text, "(`--"+f.Name+"`) | ")
		require.True(t, found, "no row of --%s", f.Name)
		value, _, _ := strings.Cut(row, " | ")
		require.Equal(t, f.Default, strings.ReplaceAll(value, ",", ""), "--%s", f.Name)
	}
}

// TestDocsShowThePlan: what the program prints is what the text shows. Where it is not:
//
//	go run ./bench/capacity
func TestDocsShowThePlan(t *testing.T) {
	var o options
	k, err := kong.New(&o, defaults)
	require.NoError(t, err)
	_, err = k.Parse(nil)
	require.NoError(t, err)
	require.Equal(t, 15*time.Minute, o.For)
	var out strings.Builder
	holds, err := o.show(&out)
	require.NoError(t, err)
	require.True(t, holds)
	_, block, _ := strings.Cut(docs(t), "```\n")
	block, _, _ = strings.Cut(block, "```\n")
	require.Equal(t, out.String(), block)
}
