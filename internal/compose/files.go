package compose

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"
)

// File is a secret or a config of a service, as it stands in its container.
type File struct {
	// Path is absolute.
	Path     string
	Content  []byte
	Mode     fs.FileMode
	UID, GID int
	// Secret tells it from a config.
	Secret bool
}

// Files reads a service's secrets and configs. Source: the Compose
// specification, 05-services.md.
func (p *Project) Files(service types.ServiceConfig) ([]File, error) {
	const instead = "give the test a Compose file that has it with file, content or environment"
	var all []File
	var problems []error
	add := func(key, source string, file File, found ...error) {
		for _, err := range parts(errors.Join(found...)) {
			problems = append(problems, p.At(service.Name, fmt.Errorf("service %q: %s: %s: %w", service.Name, key, source, err)))
		}
		all = append(all, file)
	}
	for _, one := range service.Secrets {
		content, err := p.content(types.FileObjectConfig(p.Secrets[one.Source]), instead)
		file, placeErr := fileAt(types.FileReferenceConfig(one), "/run/secrets")
		file.Content, file.Secret = content, true
		add("secrets", one.Source, file, err, placeErr)
	}
	for _, one := range service.Configs {
		content, err := p.content(types.FileObjectConfig(p.Configs[one.Source]), instead)
		file, placeErr := fileAt(types.FileReferenceConfig(one), "/")
		file.Content = content
		add("configs", one.Source, file, err, placeErr)
	}
	return all, errors.Join(problems...)
}

// readable is the mode of a file that gives none.
const readable = 0o444

func fileAt(from types.FileReferenceConfig, folder string) (File, error) {
	file := File{Path: cmp.Or(from.Target, from.Source), Mode: readable}
	if !path.IsAbs(file.Path) {
		file.Path = path.Join(folder, file.Path)
	}
	if from.Mode != nil {
		file.Mode = fs.FileMode(*from.Mode) & fs.ModePerm
	}
	var uidErr, gidErr error
	file.UID, uidErr = owner("uid", from.UID)
	file.GID, gidErr = owner("gid", from.GID)
	return file, errors.Join(uidErr, gidErr)
}

func owner(key, text string) (int, error) {
	number, err := strconv.ParseUint(cmp.Or(text, "0"), 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%s %q is no number", key, text)
	}
	return int(number), nil
}

// content is what a secret or a config holds. Instead says what to do without
// it.
func (p *Project) content(from types.FileObjectConfig, instead string) ([]byte, error) {
	switch {
	case bool(from.External):
		return nil, fmt.Errorf("is external; %s", instead)
	case from.Environment != "":
		value, given := p.Environment[from.Environment]
		if !given {
			return nil, fmt.Errorf("has no value: give a line %s=… in the input vars, or %s", from.Environment, instead)
		}
		return []byte(value), nil
	case from.File != "":
		content, err := os.ReadFile(from.File)
		if err != nil {
			return nil, fmt.Errorf("there is no file %s in the workspace", relative(p.WorkingDir, from.File))
		}
		return content, nil
	}
	return []byte(from.Content), nil
}
