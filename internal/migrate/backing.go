package migrate

import (
	"strings"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// backing is a service of Travis's that ran beside the job.
type backing struct {
	image string
	ports []string
	env   []string
	// health is the command that tells whether it is ready.
	health string
	// tell says what differs from Travis.
	tell string
	// client are variables that make clients find it.
	client [][2]string
	// config is a line that writes the configuration of the service's own
	// clients.
	config string
}

// mysqlConfig makes mysql and mysqladmin take the service, which Travis's
// machine had as a socket.
const mysqlConfig = `printf '[client]\nhost=127.0.0.1\nprotocol=tcp\nuser=root\n' >> ~/.my.cnf`

// backings by Travis's names. A service container of GitHub's listens on
// localhost of the runner. Source: Travis's documentation, "Setting up
// databases and services".
var backings = map[string]backing{
	"mysql": {image: "mysql:8", ports: []string{"3306:3306"}, env: []string{"MYSQL_ALLOW_EMPTY_PASSWORD=yes"}, health: "mysqladmin ping -h 127.0.0.1",
		client: [][2]string{{"MYSQL_HOST", "127.0.0.1"}}, config: mysqlConfig,
		tell: "MySQL listens on 127.0.0.1:3306 with user root and no password, and has no socket: where a client says localhost, write 127.0.0.1"},
	"mariadb": {image: "mariadb:11", ports: []string{"3306:3306"}, env: []string{"MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=yes"}, health: "healthcheck.sh --connect --innodb_initialized",
		client: [][2]string{{"MYSQL_HOST", "127.0.0.1"}}, config: mysqlConfig,
		tell: "MariaDB listens on 127.0.0.1:3306 with user root and no password, and has no socket: where a client says localhost, write 127.0.0.1"},
	"postgresql": {image: "postgres:17", ports: []string{"5432:5432"}, env: []string{"POSTGRES_HOST_AUTH_METHOD=trust"}, health: "pg_isready -U postgres",
		client: [][2]string{{"PGHOST", "localhost"}, {"PGUSER", "postgres"}},
		tell:   "PostgreSQL listens on localhost:5432 with user postgres and no password"},
	"redis":         {image: "redis:7", ports: []string{"6379:6379"}, health: "redis-cli ping"},
	"mongodb":       {image: "mongo:7", ports: []string{"27017:27017"}, health: "mongosh --quiet --eval 'db.runCommand({ping: 1})'"},
	"rabbitmq":      {image: "rabbitmq:4", ports: []string{"5672:5672"}, health: "rabbitmq-diagnostics -q ping"},
	"memcached":     {image: "memcached:1", ports: []string{"11211:11211"}},
	"elasticsearch": {image: "elasticsearch:8.19.0", ports: []string{"9200:9200"}, env: []string{"discovery.type=single-node", "xpack.security.enabled=false"}, health: "curl -fs http://localhost:9200/_cluster/health"},
	"cassandra":     {image: "cassandra:5", ports: []string{"9042:9042"}, health: "nodetool status"},
	"couchdb":       {image: "couchdb:3", ports: []string{"5984:5984"}, env: []string{"COUCHDB_USER=admin", "COUCHDB_PASSWORD=only-for-this-test"}, tell: "CouchDB 3 has no admin party: the user is admin, the password only-for-this-test"},
	"neo4j":         {image: "neo4j:5", ports: []string{"7474:7474", "7687:7687"}, env: []string{"NEO4J_AUTH=none"}},
	"rethinkdb":     {image: "rethinkdb:2", ports: []string{"28015:28015"}},
}

var backingAliases = map[string]string{"postgres": "postgresql", "redis-server": "redis", "memcache": "memcached", "mongo": "mongodb", "rabbitmq-server": "rabbitmq"}

// known is a service by any of Travis's names for it.
func knownBacking(name string) (string, backing, bool) {
	name = strings.ToLower(name)
	if other, ok := backingAliases[name]; ok {
		name = other
	}
	b, ok := backings[name]
	return name, b, ok
}

// withVersion is the service in the version that addons asks for.
func (b backing) withVersion(version string) backing {
	if version != "" {
		name, _, _ := strings.Cut(b.image, ":")
		b.image = name + ":" + version
	}
	return b
}

// container is the service as GitHub's job services have it.
func (b backing) container() *workflow.Map {
	m := new(workflow.Map).Set("image", b.image)
	if len(b.env) > 0 {
		env := new(workflow.Map)
		for _, pair := range b.env {
			name, value, _ := strings.Cut(pair, "=")
			env.Set(name, value)
		}
		m.Set("env", env)
	}
	m.Set("ports", workflow.Flow(b.ports))
	if b.health != "" {
		m.Set("options", b.options())
	}
	return m
}

// ofImage is the service that an image is one of, for its health check.
func ofImage(image string) (backing, bool) {
	repository, _ := splitTag(literal(image))
	name, _ := repository.lit()
	name = name[strings.LastIndex(name, "/")+1:]
	for _, b := range backings {
		if base, _, _ := strings.Cut(b.image, ":"); base == name {
			return b, true
		}
	}
	return backing{}, false
}

// services fills a job with what services and addons name.
func (u *unit) services() (services, env *workflow.Map) {
	services, env = new(workflow.Map), new(workflow.Map)
	started := map[string]bool{}
	for _, wanted := range u.wanted {
		if name := wanted.name; u.matrix.elsewhere() && !strings.HasPrefix(u.matrix.runsOn, "${{") {
			u.c.todo.tell(name.Place, "service %s: left out, since the job runs on another system than Linux, where Travis had none either", name.Value)
			continue
		}
		name, b, ok := knownBacking(wanted.name.Value)
		if !ok {
			u.c.todo.hand(wanted.name.Place, "service %s: no image is known for it; add it below services: in the job", wanted.name.Value)
			continue
		}
		if services.Get(name) != nil || started[name] {
			continue
		}
		if b = b.withVersion(wanted.version); u.matrix.elsewhere() {
			started[name] = true
			u.linuxOnly(b.start(name))
		} else {
			services.Set(name, b.container())
		}
		if b.config != "" {
			u.linuxOnly(new(workflow.Map).Set("run", b.config))
		}
		for _, pair := range b.client {
			env.Set(pair[0], pair[1])
		}
		if b.tell != "" {
			u.c.todo.tell(wanted.name.Place, "%s", b.tell)
		}
	}
	return services, env
}

// start is the service as a step that starts its container, for a matrix with
// other systems than Linux, where GitHub has no services.
func (b backing) start(name string) *workflow.Map {
	words := []string{"docker run -d --name", name}
	for _, port := range b.ports {
		words = append(words, "-p", port)
	}
	for _, pair := range b.env {
		words = append(words, "-e", pair)
	}
	if b.health == "" {
		return new(workflow.Map).Set("run", strings.Join(append(words, b.image), " "))
	}
	words = append(words, b.options(), b.image)
	wait := "timeout 120 bash -c \"until docker inspect -f '{{.State.Health.Status}}' " + name + " | grep -qx healthy; do sleep 1; done\""
	return new(workflow.Map).Set("run", strings.Join(words, " ")+"\n"+wait)
}

// options are those of docker run that tell when the service is ready.
func (b backing) options() string {
	return `--health-cmd "` + b.health + `" --health-interval 5s --health-timeout 5s --health-retries 20`
}

type wantedService struct {
	name    travis.Text
	version string
}
