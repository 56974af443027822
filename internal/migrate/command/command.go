// Package command is travois-migrate as a command: its flags, the files that it
// reads and mends, and where what it says goes.
package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/guk0/travois/internal/migrate"
	"github.com/guk0/travois/internal/travis"
)

// Main is the command's process. It does not return.
func Main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

const usage = `travois-migrate writes the GitHub workflow that does what a .travis.yml did.

  travois-migrate [--repair] FILE… > .github/workflows/deploy.yml

The workflow goes to standard output, the list of what is left to do to standard error.
Several FILEs are the pieces of one .travis.yml; - is standard input. Files beside the
first one are looked at (docker-compose.yml, Dockerrun.aws.json, package-lock.json, …).

`

// run is the whole command. Nothing is written to out unless all files could
// be read.
func run(args []string, in io.Reader, out, diagnostics io.Writer) error {
	flags := flag.NewFlagSet("travois-migrate", flag.ContinueOnError)
	// What is wrong with the flags is said once, by the error.
	flags.SetOutput(io.Discard)
	repair := flags.Bool("repair", false, "mend tabs, a bucket's name, and beside the first FILE docker-compose.yml and Dockerrun.aws.json in place")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(diagnostics)
		_, _ = io.WriteString(diagnostics, usage)
		flags.PrintDefaults()
		return nil
	}
	if err != nil {
		return fmt.Errorf("travois-migrate: %w; --help lists what there is", err)
	}
	if flags.NArg() == 0 {
		return errors.New("travois-migrate: no FILE is given: travois-migrate .travis.yml")
	}
	files, err := read(flags.Args(), in)
	if err != nil {
		return err
	}
	folder := filepath.Dir(flags.Arg(0))
	result, err := migrate.Migrate(files, migrate.Options{Beside: os.DirFS(folder), Repair: *repair})
	if err != nil {
		return err
	}
	if *repair {
		if err := mend(folder, diagnostics); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(out, result.Workflow); err != nil {
		return fmt.Errorf("write the workflow: %w", err)
	}
	if _, err := io.WriteString(diagnostics, result.Todo); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	return nil
}

// read reads all files; the error names each that can't be read.
func read(names []string, in io.Reader) ([]travis.File, error) {
	var files []travis.File
	var problems []error
	for _, name := range names {
		source, err := readOne(name, in)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		files = append(files, travis.File{Name: name, Source: source})
	}
	return files, errors.Join(problems...)
}

func readOne(name string, in io.Reader) ([]byte, error) {
	if name != "-" {
		return os.ReadFile(name)
	}
	source, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return source, nil
}

// mend repairs the deploy files beside a .travis.yml, each change said.
func mend(folder string, diagnostics io.Writer) error {
	var problems []error
	for _, name := range migrate.Mendable {
		path := filepath.Join(folder, name)
		source, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		mended, mistakes := migrate.Mend(name, source)
		for _, mistake := range mistakes {
			_, _ = fmt.Fprintf(diagnostics, "%s:%s\n", path, mistake)
		}
		if string(mended) != string(source) {
			problems = append(problems, replace(path, mended))
		}
	}
	return errors.Join(problems...)
}

// replace writes a file whole or not at all; a link goes on naming it.
func replace(path string, content []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".travois-migrate-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(info.Mode()), temporary.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(temporary.Name(), path)
}
