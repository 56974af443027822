package ebdeploy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk/wiretest"
	"github.com/guk0/travois/internal/bundle"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

// TestCheck has what a bundle asks for and an environment does not give.
func TestCheck(t *testing.T) {
	const host = `${MYSQL_HOST} has no value: environment "Dockerfullstack-env" has no such property; add it to env-vars, or write a default: ${MYSQL_HOST:-…}`
	const port = `no service publishes port 80, to which environment "Dockerfullstack-env" sends its requests: add ports: ["80:<port of the container>"]`
	without := strings.Replace(composeFile, "80:5000", "5000:5000", 1)
	single := [3]string{"aws:elasticbeanstalk:environment", "EnvironmentType", "SingleInstance"}
	for name, c := range map[string]struct {
		file    string
		prepare func(t *testing.T, s *stage)
		errors  []string
		warning string
	}{
		"a variable and the port": {without, func(_ *testing.T, s *stage) { s.env.Options = nil }, []string{"docker-compose.yml:11: " + host, port}, ""},
		"what can't be rendered, beside": {without + "    mem_limit: 1q\n    env_file: gone.env\n", func(_ *testing.T, s *stage) { s.env.Options = nil }, []string{
			"docker-compose.yml:13: services.backend.mem_limit: Docker Compose refuses it", "docker-compose.yml:14: env_file gone.env does not exist", "docker-compose.yml:11: " + host, port,
		}, ""},
		"a wrong input, beside": {without, func(_ *testing.T, s *stage) { s.env.Options, s.inputs["timeout"] = nil, "-1m" }, []string{
			"input timeout: -1m0s is negative", "docker-compose.yml:11: " + host, port,
		}, ""},
		"a variable from env-vars": {composeFile, func(_ *testing.T, s *stage) {
			s.env.Options, s.inputs["env-vars"] = nil, "MYSQL_HOST=db"
		}, nil, ""},
		"a variable that goes": {composeFile, func(_ *testing.T, s *stage) { s.inputs["env-vars"] = "MYSQL_HOST=" }, []string{host}, ""},
		"a variable from a secret": {composeFile, func(_ *testing.T, s *stage) {
			s.env.Options = [][3]string{{"aws:elasticbeanstalk:application:environmentsecrets", "MYSQL_HOST", "arn:x"}}
		}, nil, ""},
		"a variable from the bundle": {composeFile, func(t *testing.T, s *stage) {
			s.env.Options = nil
			s.file(t, ".ebextensions/a.config", "option_settings:\n  aws:elasticbeanstalk:application:environment:\n    MYSQL_HOST: db\n")
		}, nil, ""},
		"a variable whose name is part of another in the bundle": {composeFile, func(t *testing.T, s *stage) {
			s.env.Options = nil
			s.file(t, ".ebextensions/a.config", "# MYSQL_HOST goes here\noption_settings:\n  - option_name: MYSQL_HOST_2\n    value: db\n")
		}, []string{host}, ""},
		"a variable of an environment to be made": {composeFile, func(_ *testing.T, s *stage) {
			s.inputs["env"], s.inputs["create"], s.inputs["platform"] = "new-env", "true", "Docker"
			s.wire.Stacks = stacks
			s.inputs["option-settings"] = `{"aws:autoscaling:launchconfiguration":{"IamInstanceProfile":"aws-elasticbeanstalk-ec2-role"}}`
		}, []string{strings.Replace(host, "Dockerfullstack-env", "new-env", 1)}, ""},
		"a variable from .env": {composeFile, func(t *testing.T, s *stage) {
			s.env.Options, s.inputs["bundle"] = nil, "source"
			s.file(t, ".env", "export MYSQL_HOST=db # here\n")
		}, nil, ".env is in the bundle"},
		"a variable that .env masks": {composeFile, func(t *testing.T, s *stage) {
			s.inputs["bundle"] = "source"
			s.file(t, ".env", "# MYSQL_HOST=db\n")
		}, nil, "${MYSQL_HOST} may have no value"},
		"a variable that .env does not set": {composeFile, func(t *testing.T, s *stage) {
			s.env.Options, s.inputs["bundle"] = nil, "source"
			s.file(t, ".env", "MYSQL=db\n")
		}, []string{"docker-compose.yml:11: ${MYSQL_HOST} has no value: neither does the .env"}, ""},
		"an .env that can't be read": {composeFile, func(t *testing.T, s *stage) {
			s.inputs["bundle"] = "source"
			s.file(t, ".env", "A=1\nMYSQL HOST='not-to-be-told'\n")
		}, []string{".env:2: it is not as Docker Compose reads it"}, ""},
		"an .env that can't be read, and no port": {without, func(t *testing.T, s *stage) {
			s.env.Options, s.inputs["bundle"] = nil, "source"
			s.file(t, ".env", "MYSQL HOST='not-to-be-told'\n")
		}, []string{".env:1: it is not as Docker Compose reads it", port}, ""},
		"an .env with an open quote": {composeFile, func(t *testing.T, s *stage) {
			s.inputs["bundle"] = "source"
			s.file(t, ".env", "A=1\nMYSQL_HOST='not-to-be-told\n")
		}, []string{".env: it is not as Docker Compose reads it"}, ""},
		"an env_file that can't be read": {composeFile + "    env_file: [conf/a.env, conf/b.env, {path: conf/c.env, format: raw}]\n", func(t *testing.T, s *stage) {
			s.file(t, "conf/a.env", "A=${MYSQL_HOST:?is missing}\n")
			s.file(t, "conf/b.env", "A=1\nB C='not-to-be-told'\n")
			s.file(t, "conf/c.env", "B C='not-to-be-told\n")
		}, []string{"conf/b.env:2: it is not as Docker Compose reads it"}, ""},
		"texts that no instance can read": {composeFile + "  db:\n    image: mysql:{{tag}}\n    command: sh -c 'echo ${1}'\n", nil, []string{
			`docker-compose.yml:14: image "mysql:{{tag}}" is no image reference`,
			"docker-compose.yml:15: a ${ here begins no ${NAME}",
		}, ""},
		"variables of the platform":    {composeFile + "    volumes: ['${EB_LOG_BASE_DIR}/backend:/var/log/app', 'v:/${COMPOSE_PROJECT_NAME}']\nvolumes: {v: }\n", nil, nil, ""},
		"a variable of most processes": {composeFile + "    volumes: ['${PWD}/conf:/conf']\n", nil, nil, "docker-compose.yml:13: ${PWD} is what it is where Elastic Beanstalk runs Docker Compose"},
		"a database of the environment": {composeFile + "    command: 'run ${RDS_HOSTNAME}'\n", func(_ *testing.T, s *stage) {
			s.env.Options = append(s.env.Options, [3]string{"aws:rds:dbinstance", "DBInstanceClass", "db.t3.micro"})
		}, nil, ""},
		"a database of the bundle": {composeFile + "    command: 'run ${RDS_HOSTNAME}'\n", func(t *testing.T, s *stage) {
			s.file(t, ".ebextensions/db.config", "option_settings:\n  aws:rds:dbinstance:\n    DBEngine: mysql\n")
		}, nil, ""},
		"no database": {composeFile + "    command: 'run ${RDS_HOSTNAME}'\n", func(_ *testing.T, s *stage) {
			s.env.Options = append(s.env.Options, [3]string{"aws:rds:dbinstance", "HasCoupledDatabase", "false"}, [3]string{"aws:rds:dbinstance", "DBInstanceClass", "db.t3.micro"})
		}, []string{"docker-compose.yml:13: ${RDS_HOSTNAME} has no value"}, ""},
		"a variable in the default of another": {strings.Replace(composeFile, "${MYSQL_HOST}", "${DB_HOST:-${MYSQL_HOST}}", 1), func(_ *testing.T, s *stage) {
			s.env.Options = nil
		}, []string{"docker-compose.yml:11: " + host}, ""},
		"a default that nobody comes to": {strings.Replace(composeFile, "${MYSQL_HOST}", "${DB_HOST:-${MYSQL_HOST}}", 1), func(_ *testing.T, s *stage) {
			s.env.Options, s.inputs["env-vars"] = nil, "DB_HOST=db"
		}, nil, ""},
		"one instance": {without, func(_ *testing.T, s *stage) { s.env.Options = append(s.env.Options, single) }, nil, port},
		"a worker":     {without, func(_ *testing.T, s *stage) { s.env.Tier = "Worker" }, nil, ""},
		"another port": {without, func(_ *testing.T, s *stage) {
			s.env.Options = append(s.env.Options, [3]string{processOptions + ":default", "Port", "5000"})
		}, nil, ""},
		"a port of another process": {without, func(_ *testing.T, s *stage) {
			s.env.Options = append(s.env.Options, [3]string{processOptions + ":default", "Port", "80"}, [3]string{processOptions + ":api", "Port", "5000"})
		}, nil, ""},
		"a Classic Load Balancer": {without, func(_ *testing.T, s *stage) {
			s.env.Options = append(s.env.Options, [3]string{processOptions + ":default", "Port", "80"}, [3]string{listenerOptions, "InstancePort", "5000"})
		}, nil, ""},
		"a port that the bundle brings": {without, func(t *testing.T, s *stage) {
			s.file(t, ".ebextensions/port.config", "option_settings:\n  aws:elasticbeanstalk:environment:process:default:\n    Port: 5000\n")
		}, nil, ""},
		"an old limit": {"version: '3'\n" + composeFile + "    mem_limit: 128m\n", nil, nil, "docker-compose.yml:14: mem_limit is unknown to Compose 1 in a file of version 3"},
		"a retired platform": {composeFile, func(_ *testing.T, s *stage) {
			s.env.Stack = "64bit Amazon Linux 2018.03 v2.17.0 running Docker 20.10.7-ce"
		},
			[]string{`which is retired and does not read a Compose file`}, ""},
		"a full quota": {composeFile, func(_ *testing.T, s *stage) {
			s.wire.VersionQuota = 4
			s.wire.Versions["other"] = []*wiretest.Version{{Label: "1"}, {Label: "2"}, {Label: "3"}, {Label: "4"}}
		}, []string{"no version can be made: there are 4 of 4 application versions"}, ""},
		"a scarce quota": {composeFile, func(_ *testing.T, s *stage) {
			s.wire.VersionQuota = 41
			for range 39 {
				s.wire.Versions["other"] = append(s.wire.Versions["other"], &wiretest.Version{Label: "x"})
			}
		}, nil, "there are 39 of 41 application versions"},
		"a label that is taken": {without, func(_ *testing.T, s *stage) {
			s.inputs["version-label"] = "v1"
			s.wire.Versions["docker-fullstack"] = []*wiretest.Version{{Label: "v1"}}
		}, []string{`application version "v1" exists`, port}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.file(t, "docker-compose.yml", c.file)
				if c.prepare != nil {
					c.prepare(t, s)
				}
				if c.errors != nil {
					if got := s.rejects(t, c.errors...); strings.Contains(got.log, "not-to-be-told") {
						t.Errorf("it tells a value of .env:\n%s", got)
					}
					return
				}
				got := s.run(t)
				if got.result() != "deployed" || strings.Contains(got.log, "::warning") != (c.warning != "") || !strings.Contains(got.log, c.warning) {
					t.Errorf("%s", got)
				}
			})
		})
	}
}

// TestCheckPortOfECS has containers of which none takes the environment's
// requests.
func TestCheckPortOfECS(t *testing.T) {
	const port = `Dockerrun.aws.json: no container is mapped to port 80 of the host, to which environment "Dockerfullstack-env" sends its requests: add "portMappings": [{"hostPort": 80, "containerPort": <port of the container>}]`
	for name, c := range map[string]struct {
		option [3]string
		want   string
	}{
		"load balanced": {[3]string{"aws:elasticbeanstalk:environment", "EnvironmentType", "LoadBalanced"}, "rejected"},
		"one instance":  {[3]string{"aws:elasticbeanstalk:environment", "EnvironmentType", "SingleInstance"}, "deployed"},
		"another port":  {[3]string{processOptions + ":default", "Port", "8080"}, "deployed"},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.env.Stack = "64bit Amazon Linux 2023 v4.1.0 running ECS"
				s.env.Options = append(s.env.Options, c.option)
				s.file(t, "ecs/Dockerrun.aws.json", strings.Replace(dockerrunFile, `"hostPort": 80`, `"hostPort": 8080`, 1))
				s.inputs["source"] = "ecs"
				got := s.run(t)
				if got.result() != c.want || strings.Contains(got.log, port) != (name != "another port") {
					t.Errorf("%s", got)
				}
			})
		})
	}
}

// TestCheckImages looks for images in a registry that has one of them.
func TestCheckImages(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		repository, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/")
		user, _, _ := r.BasicAuth()
		switch {
		case repository == "" && user == "":
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		case repository == "private":
			w.WriteHeader(http.StatusUnauthorized)
		case repository == "gone":
			w.WriteHeader(http.StatusNotFound)
		default:
			w.Header().Set("Docker-Content-Digest", digest)
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			w.Header().Set("Content-Length", "2")
		}
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	anonymous, login := registry.LoginInputs{Registry: host}, registry.LoginInputs{Registry: host, Username: "guk0", Password: "word"}
	for name, c := range map[string]struct {
		image   string
		login   registry.LoginInputs
		problem string
		warning string
		// Where the file itself names the image.
		pinnedProblem, pinnedWarning string
	}{
		"there": {host + "/there:1", anonymous, "", "", "", ""},
		"missing": {
			host + "/gone:1", anonymous, "input images: " + host + `/gone:1 of "web" is not in its registry: was it pushed?`, "",
			"the file:5: " + host + `/gone:1 of "web" is not in its registry: correct the name`, "",
		},
		"private": {
			host + "/private:1", anonymous, "", host + `/private:1 of "web" is private or not there`, "", host + `/private:1 of "web" is private or not there`,
		},
		"private, with login": {
			host + "/private:1", login, "does not show " + host + `/private:1 of "web" with the login given`, "",
			"", "the file:5: registry " + host + " does not show " + host + `/private:1 of "web" with the login given: the instances need one`,
		},
		"no registry": {"127.0.0.1:1/x:1", anonymous, "", `the image of "web" can't be looked up before it is deployed`, "", `the image of "web" can't be looked up`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ref, err := image.Parse(c.image)
			if err != nil {
				t.Fatal(err)
			}
			credentials, err := c.login.Credentials(action.NewRunner(nil, io.Discard))
			if err != nil {
				t.Fatal(err)
			}
			p := plan{config: config{CheckImages: true}, credentials: credentials, images: map[string]image.Reference{"web": ref}}
			found := p.checkImages(t.Context())
			problem, warning := errors.Join(found.problems...), errors.Join(found.warnings...)
			if !tells(problem, c.problem) || !tells(warning, c.warning) {
				t.Errorf("problem %v, warning %v", problem, warning)
			}
			pinned := fileOf(bundle.Compose, "services:\n  own: {image: 'x/${Y}:1'}\n  built: {build: ., image: "+host+"/gone:2}\n  web:\n    image: "+c.image+"\n")
			p = plan{config: config{CheckImages: true}, credentials: credentials, file: pinned}
			found = p.checkImages(t.Context())
			problem, warning = errors.Join(found.problems...), errors.Join(found.warnings...)
			if !tells(problem, c.pinnedProblem) || !tells(warning, c.pinnedWarning) {
				t.Errorf("named by the file: problem %v, warning %v", problem, warning)
			}
		})
	}
	p := plan{config: config{CheckImages: true}, file: fileOf(bundle.DockerrunV1, `{"Image": {"Name": "`+host+`/gone:1"}}`)}
	if problem := errors.Join(p.checkImages(t.Context()).problems...); !tells(problem, "/gone:1 of the container is not in its registry") {
		t.Errorf("an image without a service: %v", problem)
	}
}

// TestCheckImagesInECR looks for an image in ECR as the role that deploys. What
// the role may not see is not refused: the instances have a profile of their own.
func TestCheckImagesInECR(t *testing.T) {
	var asked string
	ecr := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","message":"not authorized"}`)
	}))
	t.Cleanup(ecr.Close)
	t.Setenv("AWS_ENDPOINT_URL_ECR", ecr.URL)
	const host = "111122223333.dkr.ecr.ap-northeast-2.amazonaws.com"
	credentials, err := registry.LoginInputs{Registry: "docker.io"}.Credentials(action.NewRunner(nil, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	role := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "theRole", SecretAccessKey: "x"}, nil
	})
	web := image.Reference{Registry: host, Repository: "web", Tag: "1"}
	p := plan{config: config{CheckImages: true}, credentials: credentials.WithAWS(role), images: map[string]image.Reference{"web": web}}
	found := p.checkImages(t.Context())
	if warning := errors.Join(found.warnings...); len(found.problems) > 0 || !tells(warning, "give the role or user of the step ecr:GetAuthorizationToken") || !strings.Contains(asked, "Credential=theRole/") {
		t.Errorf("problems %v, warning %v, asked as %s", found.problems, warning, asked)
	}
	found = findings{}
	p.judge(&found, lookup{service: "web", ref: web}, true, &transport.Error{StatusCode: http.StatusForbidden})
	if warning := errors.Join(found.warnings...); len(found.problems) > 0 || !tells(warning, "allow who deploys ecr:BatchGetImage") {
		t.Errorf("problems %v, warning %v", found.problems, warning)
	}
}

// tells holds an error against a part of its text; "" is none.
func tells(err error, text string) bool {
	return err == nil && text == "" || err != nil && text != "" && strings.Contains(err.Error(), text)
}
