// Gen fills docs/performance.md and README.md, after making the reports anew if asked to. See package perfdoc.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ksdispatch/ksdispatch/internal/atomicfile"
	"github.com/ksdispatch/ksdispatch/internal/lab/perfdoc"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	measure := flag.Bool("measure", false, "make all reports, charts and profiles anew")
	quick := flag.Bool("quick", false, "with -measure: few and short rounds, small tables, no new profiles: to try it")
	flag.Parse()
	root, err := sourceRoot()
	if err == nil && *measure {
		err = measureAll(root, *quick)
	}
	if err == nil {
		err = fill(root)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// sourceRoot is where go.mod is: gen runs there or, by go generate, in its package's directory.
func sourceRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

func fill(root string) error {
	data, err := perfdoc.Load(root)
	if err != nil {
		return err
	}
	pages, err := data.Pages()
	if err != nil {
		return err
	}
	for name, blocks := range pages {
		path := filepath.Join(root, filepath.FromSlash(name))
		page, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		filled, err := perfdoc.Fill(string(page), blocks)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if filled == string(page) {
			continue
		}
		if err := replace(path, []byte(filled)); err != nil {
			return err
		}
	}
	return nil
}

// measureAll runs the commands, each after the other and into a directory outside of the source, and then copies what they
// made to its place.
func measureAll(root string, quick bool) error {
	aside, err := os.MkdirTemp("", "perfdoc")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	for _, c := range perfdoc.Commands {
		if quick && c.Name == "profiles" {
			continue
		}
		args := make([]string, len(c.Args))
		for i, a := range c.Args {
			args[i] = a
			if a == "FILE" {
				args[i] = filepath.Join(aside, c.Name)
			} else if filepath.Ext(a) == ".pgo" {
				args[i] = filepath.Join(aside, a)
			}
		}
		if quick && args[0] == "run" {
			args = append(args, "--quick")
		}
		log.Printf("go %s", strings.Join(args, " "))
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Stderr = root, os.Stderr
		err := cmd.Run()
		if exit := new(exec.ExitError); c.Fails && errors.As(err, &exit) && exit.ExitCode() == 1 {
			_, err = os.Stat(filepath.Join(aside, c.Name))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	return filepath.WalkDir(aside, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) == ".pgo" {
			return err
		}
		to := filepath.Join(root, "docs", "performance", filepath.Base(path))
		if filepath.Base(filepath.Dir(path)) == "profiles" {
			to = filepath.Join(root, "profiles", filepath.Base(path))
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return replace(to, content)
	})
}

func replace(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, content)
}
