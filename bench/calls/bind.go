package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// bind sees to it that an app has so many bindings: pair i is on X i/perX, from
// caller i to callee i; with AX and AXE the callee is A. It takes how long that
// took, if it was not so already.
func (a *axgate) bind(ctx context.Context, k kind, n int) (took time.Duration, err error) {
	had := a.bound[k]
	if had >= n {
		return 0, nil
	}
	if err := a.numbers(ctx, k, (had+k.perX()-1)/k.perX(), (n+k.perX()-1)/k.perX()); err != nil {
		return 0, err
	}
	file := filepath.Join(a.dir, "bindings.csv")
	err = writeLines(file, "x,a,b,ext,record", had, n, func(i int) string {
		x, caller, callee := k.firstX()+i/k.perX(), firstCaller+i, firstCallee+i
		switch k.mode {
		case "AXB":
			return fmt.Sprintf("%s%d,%s%d,%s%d,,%v", country, x, country, caller, country, callee, k.record)
		case "AX":
			return fmt.Sprintf("%s%d,%s%d,,,%v", country, x, country, callee, k.record)
		default:
			return fmt.Sprintf("%s%d,%s%d,,%04d,%v", country, x, country, callee, 1+i%k.perX(), k.record)
		}
	})
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := a.command(ctx, "bulk", "import", "--app", k.app(), file); err != nil {
		return 0, err
	}
	a.bound[k] = n
	return time.Since(begun), os.Remove(file)
}

// numbers gives an app its X from one number up to another.
func (a *axgate) numbers(ctx context.Context, k kind, from, until int) error {
	const most = 100_000 // of an import
	file := filepath.Join(a.dir, "numbers.csv")
	for ; from < until; from += most {
		err := writeLines(file, "number", from, min(until, from+most), func(i int) string { return fmt.Sprintf("%s%d", country, k.firstX()+i) })
		if err != nil {
			return err
		}
		if err := a.command(ctx, "number", "import", "--app", k.app(), file); err != nil {
			return err
		}
	}
	return nil
}

func writeLines(file, head string, from, until int, line func(int) string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	fmt.Fprintln(out, head)
	for i := from; i < until; i++ {
		fmt.Fprintln(out, line(i))
	}
	return errors.Join(out.Flush(), f.Close())
}

// command runs axgate beside the one that serves, and shows how far it is.
func (a *axgate) command(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, a.o.Bin, append(args, "--config", filepath.Join(a.dir, "axgate.yaml"))...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = os.Stderr, os.Stderr, a.dir
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("axgate %s %s: %w", args[0], args[1], err)
	}
	return nil
}

// filled waits until the cache gets no more keys: it is filled behind the calls
// that came.
func (a *axgate) filled(ctx context.Context) error {
	const quiet = 3 * time.Second
	keys, since := int64(-1), time.Now()
	for time.Since(since) < quiet {
		now, err := a.redis.Client().DBSize(ctx).Result()
		if err != nil {
			return err
		}
		if now != keys {
			keys, since = now, time.Now()
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

// ledgerBytes is the size of the ledger's files.
func (a *axgate) ledgerBytes() (sum int64, err error) {
	files, err := filepath.Glob(filepath.Join(a.dir, "*.db*"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			sum += info.Size()
		}
	}
	return sum, err
}
