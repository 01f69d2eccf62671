package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// setting is what figures are of.
type setting struct {
	At         time.Time         `json:"at"`
	Commit     string            `json:"commit"` // of the working directory; "+" if something in it was changed
	Kernel     string            `json:"kernel"`
	Processor  string            `json:"processor"`
	Processors int               `json:"processors"`
	Buffer     string            `json:"rmemMax"` // bytes that a socket's receive buffer may have without a privilege
	Programs   map[string]string `json:"programs"`
	Options    *options          `json:"options"`
}

// surroundings are those of this run; what cannot be found out is empty.
func surroundings(ctx context.Context, o *options) setting {
	s := setting{At: time.Now().UTC(), Commit: said(ctx, "git", "rev-parse", "--short", "HEAD"), Kernel: said(ctx, "uname", "-sr"), Processor: processor(), Processors: runtime.NumCPU(),
		Programs: map[string]string{"go": runtime.Version(), "redis": said(ctx, "redis-server", "--version")}, Options: o}
	if said(ctx, "git", "status", "--porcelain", "--untracked-files=no") != "" {
		s.Commit += "+"
	}
	if most, err := os.ReadFile("/proc/sys/net/core/rmem_max"); err == nil {
		s.Buffer = strings.TrimSpace(string(most))
	}
	for _, name := range o.Systems {
		if name == nameKamailio {
			s.Programs["kamailio"], s.Programs["rtpengine"] = said(ctx, "kamailio", "-v"), said(ctx, "rtpengine", "--version")
		}
	}
	return s
}

// said is the first line that a program prints.
func said(ctx context.Context, name string, args ...string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name // where only root looks
	}
	out, _ := exec.CommandContext(ctx, path, args...).CombinedOutput() // one that does not run says nothing
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return string(line)
}

// processor is the name of the first one (proc_cpuinfo(5)).
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // without it there is no name
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
