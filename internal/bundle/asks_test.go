package bundle_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/bundle"
)

const asking = `version: '3.8'
x-env: &env
  HOST: ${MYSQL_HOST}
services:
  frontend:
    image: guk0/docker-frontend:${TAG}
    build: ${CONTEXT}
    mem_limit: 128m
  backend:
    image: guk0/docker-backend:${OTHER}
    environment:
      <<: *env
      PORT: $PORT
      A: ${A:-1} ${B-2} $$C $${D} ${E:?say it} ${F+set} ${E}
      B: ${G:-${H}} ${I-${J:-${K}$L}} ${M:+$N} ${O:-{}}${P} ${Q:?$R}${S:-a$$b}
  nginx:
    image: nginx:1
    ports: ["80:80", "8080-8082:80-82", "127.0.0.1:443:443/tcp", 9000, {published: 5000, target: 1}]
`

func TestAsksOf(t *testing.T) {
	got := bundle.AsksOf([]byte(asking), map[string]bool{"frontend": true})
	want := bundle.Asks{
		Variables: []bundle.Variable{{Name: "MYSQL_HOST", Line: 3}, {Name: "OTHER", Line: 10}, {Name: "PORT", Line: 13}, {Name: "E", Line: 14},
			{Name: "H", Line: 15, Within: []bundle.Condition{{Name: "G"}}},
			{Name: "K", Line: 15, Within: []bundle.Condition{{Name: "I"}, {Name: "J"}}}, {Name: "L", Line: 15, Within: []bundle.Condition{{Name: "I"}, {Name: "J"}}},
			{Name: "N", Line: 15, Within: []bundle.Condition{{Name: "M", Set: true}}}, {Name: "P", Line: 15}, {Name: "Q", Line: 15}},
		Ports: []int{80, 8080, 8081, 8082, 5000}, AllPorts: true, OldLimits: []int{8},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, ports := range map[string]string{
		"loopback":             "['127.0.0.1:80:80']",
		"loopback, IPv6":       "['[::1]:80:80']",
		"UDP":                  "['80:80/udp']",
		"loopback, a long one": "[{published: 80, target: 80, host_ip: 127.0.0.1}]",
		"UDP, a long one":      "[{published: 80, target: 80, protocol: udp}]",
	} {
		if got := bundle.AsksOf([]byte("services: {a: {image: x, ports: "+ports+"}}\n"), nil); len(got.Ports) > 0 || !got.AllPorts {
			t.Errorf("%s: requests come to %v, all ports %v", name, got.Ports, got.AllPorts)
		}
	}
	for name, file := range map[string]string{
		"a variable":   "services: {a: {image: x, ports: ['${PORT:-80}:80']}}\n",
		"extends":      "services: {a: {image: x, extends: {file: b.yml, service: b}}}\n",
		"include":      "include: [b.yml]\nservices: {a: {image: x}}\n",
		"host network": "services: {a: {image: x, network_mode: host}}\n",
		"a long one":   "services: {a: {image: x, ports: [{published: '${PORT:-80}', target: 80}]}}\n",
	} {
		if got := bundle.AsksOf([]byte(file), nil); got.AllPorts || len(got.Ports)+len(got.Variables) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := bundle.AsksOf([]byte("version: '2'\nservices: {a: {image: x, mem_limit: 1g}}\n"), nil); len(got.OldLimits) > 0 {
		t.Errorf("version 2: %+v", got)
	}
}

func TestUsed(t *testing.T) {
	v := bundle.Variable{Name: "C", Within: []bundle.Condition{{Name: "A"}, {Name: "B", Set: true}}}
	for set, want := range map[string]bool{"": false, "A": false, "B": true, "AB": false} {
		if got := v.Used(func(name string) bool { return strings.Contains(set, name) }); got != want {
			t.Errorf("with values for %q it is used: %v", set, got)
		}
	}
}
