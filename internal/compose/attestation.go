package compose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// provenances are the parameters of a provenance. Source: moby/buildkit,
// docs/attestations/slsa-provenance.md. Those of an SBOM are its generator's.
var provenances = []string{"mode", "builder-id", "reproducible", "version", "inline-only"}

// attestation reads whether one is wanted, or its parameters: any, or those that
// there are. BuildKit passes over what it does not know.
func attestation(value string, parameters []string) (string, error) {
	if value == "" {
		return "", nil
	}
	if wanted, err := strconv.ParseBool(value); err == nil {
		return strconv.FormatBool(wanted), nil
	}
	for parameter := range strings.SplitSeq(value, ",") {
		key, of, found := strings.Cut(parameter, "=")
		if off, _ := strconv.ParseBool(of); key == "disabled" && off {
			return "false", nil
		}
		if !found {
			return "", fmt.Errorf("%q is none of true, false, KEY=VALUE", parameter)
		}
		if len(parameters) > 0 && !slices.Contains(parameters, key) {
			return "", fmt.Errorf("%q: there is no %s; there are %s", parameter, key, strings.Join(parameters, ", "))
		}
	}
	return value, nil
}
