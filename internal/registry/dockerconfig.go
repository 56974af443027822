package registry

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/guk0/travois/internal/image"
)

// hubServer is the name of Docker Hub in a login file. Source: docker/cli,
// cli/config/configfile.
const hubServer = "https://index.docker.io/v1/"

// DockerConfig is a Docker config.json with the logins that were given, the same
// bytes for the same logins. Those that are fetched are good for hours only, and
// are not in it. It holds passwords.
func (c Credentials) DockerConfig() ([]byte, error) {
	type entry struct {
		Auth string `json:"auth"`
	}
	auths := map[string]entry{}
	for host, login := range c.logins {
		if host == image.DockerHub {
			host = hubServer
		}
		auths[host] = entry{base64.StdEncoding.EncodeToString([]byte(login.Username + ":" + login.Password))}
	}
	text, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		return nil, fmt.Errorf("write a Docker config.json: %w", err)
	}
	return text, nil
}
