package compose

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/containerd/platforms"
	"github.com/docker/go-units"
)

// hostGateway stands for the address of the engine's machine.
const hostGateway = "host-gateway"

// hosts are sorted by name; the addresses of one name stay in the file's order.
func hosts(from types.HostsList) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(from)) {
		for _, address := range from[name] {
			all = append(all, name+"="+address)
		}
	}
	return all
}

// checkHosts reports what is no address: BuildKit asks nobody for names.
func checkHosts(hosts []string) error {
	var problems []error
	for _, one := range hosts {
		name, address, _ := strings.Cut(one, "=")
		if address != hostGateway && net.ParseIP(address) == nil {
			problems = append(problems, fmt.Errorf("%s: %q is no address; write one as 192.0.2.1, or %s", name, address, hostGateway))
		}
	}
	return errors.Join(problems...)
}

// ulimits are "soft:hard" by name.
func ulimits(from map[string]*types.UlimitsConfig) (map[string]string, error) {
	if len(from) == 0 {
		return nil, nil
	}
	var problems []error
	all := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		soft, hard := from[name].Soft, from[name].Hard
		if from[name].Single != 0 {
			soft, hard = from[name].Single, from[name].Single
		}
		all[name] = fmt.Sprintf("%d:%d", soft, hard)
		if _, err := units.ParseUlimit(name + "=" + all[name]); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	return all, errors.Join(problems...)
}

// checkPlatforms reports what is no platform, and one that is given twice.
func checkPlatforms(all []string) error {
	var problems []error
	seen := map[string]bool{}
	for _, one := range all {
		parsed, err := platforms.Parse(one)
		name := platforms.FormatAll(platforms.Normalize(parsed))
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("%q is no platform; write it as linux/amd64 or linux/arm64", one))
		case seen[name]:
			problems = append(problems, fmt.Errorf("%s is given twice", one))
		}
		seen[name] = true
	}
	return errors.Join(problems...)
}
