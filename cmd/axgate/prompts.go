package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"axgate/api/manage"
	"axgate/ledger"
	"axgate/prompts"
	"axgate/provision"
)

type promptsCmd struct {
	List    promptsListCmd    `cmd:"" default:"withargs" help:"List the scenes with their shipped files, or an app's uploads."`
	Check   promptsCheckCmd   `cmd:"" help:"Tell whether files can be uploaded, and what is wrong with them if not."`
	Convert promptsConvertCmd `cmd:"" help:"Make a prompt of another WAV file or of an MP3 file."`
	Upload  promptsUploadCmd  `cmd:"" help:"Upload a prompt for an app; it has to be approved before it can be used."`
	Approve promptsApproveCmd `cmd:"" help:"Approve an uploaded prompt."`
	Reject  promptsRejectCmd  `cmd:"" help:"Reject an uploaded prompt."`
	Delete  promptsDeleteCmd  `cmd:"" help:"Delete an uploaded prompt."`
}

type promptsListCmd struct {
	App string `help:"The uploads of this app; all: those of every app." placeholder:"KEY"`
}

func (c *promptsListCmd) Run(p *program) error {
	if c.App == "" {
		return p.listScenes()
	}
	return p.atDesk(func(d *desk) error {
		app := c.App
		if app == "all" {
			app = ""
		}
		files, err := d.Ledger.Prompts(d.ctx, app)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(list(files, "", manage.ShowPrompt))
		}
		return p.table("APP\tFILE\tSTATE\tLENGTH\tUPLOADED\tREASON", func(w *tabwriter.Writer) {
			for _, f := range files {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.App, f.Name, f.State, f.Length.Round(100*time.Millisecond), when(f.Uploaded), or(f.Reason))
			}
		})
	})
}

// listScenes prints the catalogue.
func (p *program) listScenes() error {
	type line struct {
		Scene   string `json:"scene"`
		Title   string `json:"title"`
		SetOn   string `json:"setOn"`
		Shipped string `json:"shipped,omitempty"`
		Unset   string `json:"ifUnset,omitempty"`
	}
	var lines []line
	for _, e := range prompts.Catalogue() {
		name, _, _ := prompts.Default(e.Scene)
		l := line{string(e.Scene), e.Title, string(e.SetOn), name, e.Unset}
		if e.Instead != "" {
			l.Unset = "that of " + string(e.Instead)
		}
		lines = append(lines, l)
	}
	if p.cli.JSON {
		return p.answer(listed[line]{Items: lines})
	}
	return p.table("SCENE\tMEANING\tSET ON\tSHIPPED FILE\tIF UNSET", func(w *tabwriter.Writer) {
		for _, l := range lines {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Scene, l.Title, l.SetOn, or(l.Shipped), or(l.Unset))
		}
	})
}

type promptsCheckCmd struct {
	Files []string `arg:"" name:"file" help:"WAV files." type:"path"`
}

func (c *promptsCheckCmd) Run(p *program) error {
	type checked struct {
		File    string  `json:"file"`
		OK      bool    `json:"ok"`
		Seconds float64 `json:"seconds,omitempty"`
		Wrong   string  `json:"wrong,omitempty"`
	}
	var failed error
	all := []checked{}
	for _, path := range c.Files {
		text, err := readAtMost(path, prompts.MaxSource)
		if err != nil {
			return err
		}
		f, err := prompts.Check(filepath.Base(path), text)
		if err != nil {
			all, failed = append(all, checked{File: path, Wrong: err.Error()}), errUnsaid
			continue
		}
		all = append(all, checked{File: path, OK: true, Seconds: f.Duration().Seconds()})
	}
	if p.cli.JSON {
		return errors.Join(p.answer(listed[checked]{Items: all}), failed)
	}
	for _, f := range all {
		if f.OK {
			p.printf("right  %s: %s\n", f.File, time.Duration(f.Seconds*float64(time.Second)).Round(10*time.Millisecond))
		} else {
			p.printf("wrong  %s\n", f.Wrong)
		}
	}
	return failed
}

type promptsConvertCmd struct {
	In  string `arg:"" help:"WAV or MP3 file." type:"path"`
	Out string `arg:"" help:"The A-law WAV file to be written." type:"path"`
}

func (c *promptsConvertCmd) Run(p *program) error {
	if err := prompts.CheckName(filepath.Base(c.Out)); err != nil {
		return err
	}
	text, err := readAtMost(c.In, prompts.MaxSource)
	if err != nil {
		return err
	}
	out, err := prompts.Convert(text)
	if err != nil {
		return fmt.Errorf("convert %s: %w", c.In, err)
	}
	if err := os.WriteFile(c.Out, out, 0o644); err != nil {
		return err
	}
	if p.cli.JSON {
		return p.answer(map[string]any{"file": c.Out, "bytes": len(out)})
	}
	p.printf("%s: %d bytes\n", c.Out, len(out))
	return nil
}

type promptsUploadCmd struct {
	App     string `required:"" help:"The app." placeholder:"KEY"`
	File    string `arg:"" help:"WAV file; its name is that of the prompt." type:"path"`
	Convert bool   `help:"Convert it first if it is another WAV or an MP3."`
}

type promptsApproveCmd struct {
	App  string `required:"" help:"The app." placeholder:"KEY"`
	Name string `arg:"" help:"Name of the prompt."`
}

type promptsRejectCmd struct {
	App    string `required:"" help:"The app." placeholder:"KEY"`
	Name   string `arg:"" help:"Name of the prompt."`
	Reason string `required:"" help:"What is wrong with it."`
}

type promptsDeleteCmd struct {
	App  string `required:"" help:"The app." placeholder:"KEY"`
	Name string `arg:"" help:"Name of the prompt."`
}

func (c *promptsUploadCmd) Run(p *program) error {
	text, err := readAtMost(c.File, prompts.MaxSource)
	if err != nil {
		return err
	}
	return p.prompt(func(d *desk) (ledger.Prompt, error) {
		return d.Provision.UploadPrompt(d.ctx, provision.PromptUpload{App: c.App, Name: filepath.Base(c.File), File: text, Convert: c.Convert})
	})
}

func (c *promptsApproveCmd) Run(p *program) error {
	return p.prompt(func(d *desk) (ledger.Prompt, error) { return d.Provision.ApprovePrompt(d.ctx, c.App, c.Name) })
}

func (c *promptsRejectCmd) Run(p *program) error {
	return p.prompt(func(d *desk) (ledger.Prompt, error) { return d.Provision.RejectPrompt(d.ctx, c.App, c.Name, c.Reason) })
}

// prompt changes a prompt and tells how it is now.
func (p *program) prompt(change func(*desk) (ledger.Prompt, error)) error {
	return p.atDesk(func(d *desk) error {
		f, err := change(d)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(manage.ShowPrompt(&f))
		}
		p.printf("%s of app %s: %s, %v\n", f.Name, f.App, f.State, f.Length.Round(100*time.Millisecond))
		return nil
	})
}

func (c *promptsDeleteCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		if err := d.Provision.DeletePrompt(d.ctx, c.App, c.Name); err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(map[string]any{"appKey": c.App, "name": c.Name, "deleted": true})
		}
		p.printf("%s of app %s is deleted\n", c.Name, c.App)
		return nil
	})
}

// readAtMost reads a file that may not be larger.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s is larger than %d MiB", path, most>>20)
	}
	return text, err
}
