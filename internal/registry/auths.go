package registry

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// authsFile is what is read, or refused, of a Docker config.json. Source:
// docker/cli, cli/config/configfile and cli/config/types.
type authsFile struct {
	Auths       map[string]authsEntry `json:"auths"`
	CredsStore  string                `json:"credsStore"`
	CredHelpers map[string]string     `json:"credHelpers"`
}

type authsEntry struct {
	Auth, Username, Password     string
	IdentityToken, RegistryToken string
}

// readAuths reads {"auths":{"HOST":{"auth":"BASE64 of user:password"}}}, where
// username and password may stand in place of auth.
func (c Credentials) readAuths(text string) error {
	var file authsFile
	if err := json.Unmarshal([]byte(text), &file); err != nil || file.Auths == nil && file.CredsStore == "" && file.CredHelpers == nil {
		return errors.New(`input auths: is no Docker config.json; write it as {"auths":{"ghcr.io":{"auth":"…"}}}`)
	}
	problems := file.helpers()
	for _, server := range slices.Sorted(maps.Keys(file.Auths)) {
		entry := file.Auths[server]
		if file.CredsStore != "" && entry == (authsEntry{}) {
			continue // the store has it, which was told
		}
		login, err := entry.login(server)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		c.logins[host(server)] = login
	}
	return errors.Join(problems...)
}

// helpers refuses logins that only a program of the machine which wrote the
// file can give.
func (f authsFile) helpers() []error {
	var problems []error
	if f.CredsStore != "" {
		problems = append(problems, fmt.Errorf("input auths: has credsStore %q, a program that keeps the logins outside of the file and is not here; "+
			"put each login under auths, as base64 of user:password, and leave credsStore out", f.CredsStore))
	}
	for _, server := range slices.Sorted(maps.Keys(f.CredHelpers)) {
		advice := fmt.Sprintf("put the login for %s under auths", server)
		if _, is := parseECR(host(server)); is {
			advice = "leave it out: ECR logs in with the step's AWS credentials"
		}
		problems = append(problems, fmt.Errorf("input auths: has credHelpers for %s, the program %q, which is not here; %s", server, f.CredHelpers[server], advice))
	}
	return problems
}

func (e authsEntry) login(server string) (Login, error) {
	login := Login{e.Username, e.Password}
	if e.Auth != "" {
		decoded, err := base64.StdEncoding.DecodeString(e.Auth)
		if err != nil {
			decoded, _ = base64.RawStdEncoding.DecodeString(e.Auth)
		}
		login.Username, login.Password, _ = strings.Cut(string(decoded), ":")
		login.Password = strings.Trim(login.Password, "\x00") // as docker reads what old versions of it padded
	}
	switch {
	case login.Username != "" && login.Password != "":
		return login, nil
	case e.IdentityToken != "" || e.RegistryToken != "":
		return Login{}, fmt.Errorf("input auths: %s has a token of one session (identitytoken or registrytoken) and no password; make an access token there and give base64 of user:token as auth", server)
	}
	return Login{}, fmt.Errorf("input auths: %s has no auth that is base64 of user:password", server)
}
