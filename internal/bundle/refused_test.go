package bundle

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRefused has what the schema allows and Docker Compose does not load, all
// of it at once and each at its line.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"values", `services:
  web:
    image: a
    mem_limit: 1q
    cpus: many
    shm_size: 1x
    ulimits:
      nofile: {soft: 1, hard: 2}
      nproc: x
    ports:
      - 80:80
      - 80:eighty
      - 70000:80
      - target: 81
        host_ip: everywhere
    healthcheck:
      test: [curl, localhost]
      interval: 5q
    deploy:
      resources: {limits: {cpus: '0.5', memory: 1q}}
    environment: {A: 1.0, B: , C: 2020-01-01}
    labels: {d: 2020-01-01, e: true}
    stop_grace_period: 10s
`, `f:4: services.web.mem_limit: Docker Compose refuses it: invalid suffix: 'q'
f:5: services.web.cpus: Docker Compose refuses it: strconv.ParseFloat: parsing "many": invalid syntax
f:6: services.web.shm_size: Docker Compose refuses it: invalid suffix: 'x'
f:9: services.web.ulimits.nproc: Docker Compose refuses it: strconv.Atoi: parsing "x": invalid syntax
f:12: services.web.ports.1: Docker Compose refuses it: invalid containerPort: eighty
f:13: services.web.ports.2: Docker Compose refuses it: invalid hostPort: 70000
f:14: services.web.ports.3: Docker Compose refuses it: invalid ip address: everywhere
f:17: services.web.healthcheck.test: Docker Compose refuses it: healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"
f:18: services.web.healthcheck.interval: Docker Compose refuses it: time: unknown unit "q" in duration "5q"
f:20: services.web.deploy.resources.limits.memory: Docker Compose refuses it: invalid suffix: 'q'`},
		{"names of nothing", `services:
  web:
    image: a
    depends_on: [db, cahce]
    networks:
      front: {aliases: [x]}
      default:
    volumes:
      - data:/x
      - ./a:/b
      - {type: volume, source: files, target: /c}
    configs: [c]
    secrets:
      - s
    links: ['none:alias']
    volumes_from: [cache, gone]
    pid: service:nobody
  worker:
    image: a
    depends_on:
      web: {condition: service_started}
      tool: {condition: service_healthy}
      other: {condition: service_healthy, required: false}
    extends: base
  cache: {image: a}
  tool: {image: a, profiles: [debug]}
  other: {image: a, profiles: [debug]}
`, `f:4: services.web.depends_on.0: Docker Compose refuses it: service "web" depends on undefined service "db"; declare it in services: of the file, or take it out here
f:4: services.web.depends_on.1: Docker Compose refuses it: service "web" depends on undefined service "cahce"; did you mean "cache"?
f:6: services.web.networks.front: Docker Compose refuses it: service "web" refers to undefined network front; declare it in networks: of the file, or take it out here
f:9: services.web.volumes.0: Docker Compose refuses it: service "web" refers to undefined volume data; declare it in volumes: of the file, or take it out here
f:11: services.web.volumes.2: Docker Compose refuses it: service "web" refers to undefined volume files; declare it in volumes: of the file, or take it out here
f:12: services.web.configs.0: Docker Compose refuses it: service "web" refers to undefined config c; declare it in configs: of the file, or take it out here
f:14: services.web.secrets.0: Docker Compose refuses it: service "web" refers to undefined secret s; declare it in secrets: of the file, or take it out here
f:15: services.web.links.0: Docker Compose refuses it: service "web" depends on undefined service "none"; declare it in services: of the file, or take it out here
f:16: services.web.volumes_from.1: Docker Compose refuses it: service "web" depends on undefined service "gone"; declare it in services: of the file, or take it out here
f:17: services.web.pid: Docker Compose refuses it: service "web" depends on undefined service "nobody"; declare it in services: of the file, or take it out here
f:24: services.worker.extends: Docker Compose refuses it: cannot extend service "worker" in docker-compose.yml: service "base" not found`},
		{"what is declared", `services:
  web: {image: a, volumes: [v:/v, w:/w], secrets: [s, t], configs: [c], networks: [n]}
volumes:
  v: {external: true, driver: x}
  w:
networks: {n: {external: true}}
secrets:
  s: {}
  t: {file: '${T}'}
configs: {c: {content: a, file: ./b}}
`, `f:4: volumes.v: Docker Compose refuses it: conflicting parameters "external" and "driver" specified
f:8: secrets.s: Docker Compose refuses it: one of file|environment must be set
f:10: configs.c: Docker Compose refuses it: file|environment|content attributes are mutually exclusive`},
		{"keys that exclude each other", `services:
  a:
    image: a
    network_mode: host
    networks: [x]
    mem_limit: ${M}
  b: {image: b, container_name: cc, scale: 3}
  c: {image: b, volumes: ['/a', 'x:/a'], mem_limit: 1q}
volumes: {x: }
networks: {x: }
`, "f:2: services.a: Docker Compose refuses it: service a declares mutually exclusive `network_mode` and `networks`\n" +
			`f:7: services.b: Docker Compose refuses it: can't set container_name and b as container name must be unique
f:8: services.c.mem_limit: Docker Compose refuses it: invalid suffix: 'q'`},
		{"in a circle", "services:\n  a: {image: a, depends_on: [b]}\n  b: {image: b, links: [a]}\n", "f:2: services.a: Docker Compose refuses it: dependency cycle detected: a -> b -> a"},
		{"variables", `services:
  a:
    image: ${I}
    mem_limit: ${M}
    cpus: ${C:-x}
    ports: ['${P}:80', '${Q}']
    depends_on: [b, '${X}']
    healthcheck: {test: [CMD, x], interval: '${I}', retries: '${R}'}
    volumes: ['${V}:/x', '$W']
    restart: "${bad"
  b: {image: b, command: 'echo $$HOME'}
`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := Invalid(t.Context(), "f", []byte(c.src), nil); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(strings.Split(c.want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
