package bundle

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const v1 = "{\"AWSEBDockerrunVersion\": \"1\",\r\n  \"Image\" : { \"Name\":\"x\\u002fy\" ,\"Update\":\"true\"},\"Ports\":[{\"ContainerPort\":80}]}"

func TestRenderDockerrun(t *testing.T) {
	for _, c := range []struct {
		name, src, want string
		images          map[string]string
		changes         string
	}{
		{"version 1", v1, strings.Replace(v1, `x\u002fy`, "r/any:1", 1), given("any"), "2 any: image \"x/y\" → \"r/any:1\"\n"},
		{"version 1 without images", v1, v1, nil, ""},
		{
			"version 2, one of two, unknown keys, order and a byte order mark",
			"\ufeff{\n\t\"containerDefinitions\": [\n{\"memory\":128,\"image\":\"x\",\"own\":[1.50,{\"image\":\"x\"}],\"name\":\"a\"},\n{\"name\":\"b\",\"image\":\"y\",\"memoryReservation\":64}],\n\"AWSEBDockerrunVersion\":2}\n",
			"\ufeff{\n\t\"containerDefinitions\": [\n{\"memory\":128,\"image\":\"r/a:1\",\"own\":[1.50,{\"image\":\"x\"}],\"name\":\"a\"},\n{\"name\":\"b\",\"image\":\"y\",\"memoryReservation\":64}],\n\"AWSEBDockerrunVersion\":2}\n",
			given("a"), "3 a: image \"x\" → \"r/a:1\"\n",
		},
		{"the same image is no change", strings.Replace(v1, `x\u002fy`, "r/a:1", 1), strings.Replace(v1, `x\u002fy`, "r/a:1", 1), given("a"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := RenderDockerrun("Dockerrun.aws.json", []byte(c.src), c.images)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got.Content)); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.changes, changeLines(got.Changes)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRenderDockerrunBuilt has a Dockerfile beside a file of version 1, which the
// instances build where no image is named or given.
func TestRenderDockerrunBuilt(t *testing.T) {
	const none = "{\"AWSEBDockerrunVersion\": \"1\", \"Logging\": \"/var/log\"}"
	for name, c := range map[string]struct {
		src     string
		images  map[string]string
		built   bool
		refused bool
	}{
		"no image":                    {none, nil, true, false},
		"no image, and no Dockerfile": {none, nil, false, true},
		"an image is given":           {none, given("a"), true, true},
		"an image without a name":     {`{"AWSEBDockerrunVersion": "1", "Image": {}}`, nil, true, true},
	} {
		got, err := RenderDockerrun("D", []byte(c.src), c.images, Built(c.built))
		if refused := err != nil && strings.Contains(err.Error(), "D:1: Image.Name is missing"); refused != c.refused || !refused && string(got.Content) != c.src {
			t.Errorf("%s: %q, %v", name, got.Content, err)
		}
	}
}

func TestDockerrunErrors(t *testing.T) {
	for _, c := range []struct {
		name, src string
		images    map[string]string
		want      string
	}{
		{"version as text", `{"AWSEBDockerrunVersion":"2","containerDefinitions":[{"name":"a","image":"x","memory":1}]}`, nil,
			"D:1: AWSEBDockerrunVersion is \"2\"; write 2, a number"},
		{"version as number", `{"AWSEBDockerrunVersion":1,"Image":{"Name":"x"},"Ports":[{"ContainerPort":80}]}`, nil,
			"D:1: AWSEBDockerrunVersion is 1; write \"1\", a text"},
		{"version unknown", `{"AWSEBDockerrunVersion":4}`, nil,
			"D:1: AWSEBDockerrunVersion is 4; write 2 for several containers, \"1\" for one"},
		{"no version", "\n{\"a\":1}", nil,
			"D:2: no AWSEBDockerrunVersion: write \"AWSEBDockerrunVersion\": 2 for several containers, \"AWSEBDockerrunVersion\": \"1\" for one"},
		{"version 3", `{"AWSEBDockerrunVersion":"3"}`, nil,
			"D:1: version 3 only tells a docker-compose.yml beside it how to log in; it names no image to deploy: pass the docker-compose.yml as the deploy file"},
		{"no object", `[]`, nil, "D:1: the file is a list; a Dockerrun.aws.json is an object"},
		{"definitions missing", "{\"AWSEBDockerrunVersion\":2,\n\"containerDefinition\":[]}", nil,
			"D:1: containerDefinitions is missing; write a list with an object for each container; is \"containerDefinition\" on line 2 meant to be it?"},
		{"containers", "{\"AWSEBDockerrunVersion\":2,\"containerDefinitions\":[\n{\"name\":\"a\"},\n{\"image\":\"x\",\"memory\":\"128\"},\n{\"name\":\"a\",\"image\":\"x\",\"memory\":0},\n1]}", given("b"),
			"D:2: container \"a\": image is missing; write a text such as guk0/app\n" +
				"D:2: container \"a\" has neither memory nor memoryReservation: add one of them, in MiB, such as \"memory\": 128\n" +
				"D:3: containerDefinitions[1]: name is missing; write a text\n" +
				"D:3: containerDefinitions[1]: memory is \"128\"; write a number of MiB, such as 128\n" +
				"D:4: container \"a\": memory is 0; write a number of MiB, such as 128\n" +
				"D:4: container \"a\" is defined twice, first on line 2: give each its own name\n" +
				"D:5: containerDefinitions[3] is 1; write an object with name, image and memory\n" +
				"D: an image is given for \"b\", which is no container of the file; it has a"},
		{"nothing essential", "{\"AWSEBDockerrunVersion\":2,\n\"containerDefinitions\":[{\"name\":\"a\",\"image\":\"x\",\"memory\":1,\"essential\":false},\n{\"name\":\"b\",\"image\":\"x\",\"memory\":1,\"essential\":false}]}", nil,
			"D:2: no container is essential, and ECS takes no task without one: write \"essential\": true in the one that the app cannot do without"},
		{"keys and types of version 2", "{\"AWSEBDockerrunVersion\":2,\"containerDefinitions\":[{\"name\":\"a\",\"image\":\"x\",\"memory\":1,\n\"portMapping\":[],\n\"essential\":\"true\",\n\"links\":[\"b\",3],\n\"environment\":[{\"name\":\"A\",\"value\":3306},\n\"B\"],\n\"mountPoints\":{}},\n{\"name\":\"b\",\"image\":\"x\",\"memory\":1,\"portMappings\":[{\"hostPort\":\"80\",\"own\":1}]}],\n\"volume\":[]}", nil,
			"D:2: unknown key \"containerDefinitions[0].portMapping\"; did you mean \"portMappings\"?\n" +
				"D:3: containerDefinitions[0].essential is \"true\"; write true or false\n" +
				"D:4: containerDefinitions[0].links is a list; write a list of texts\n" +
				"D:5: containerDefinitions[0].environment[0].value is 3306; write a text\n" +
				"D:6: containerDefinitions[0].environment[1] is \"B\"; write an object\n" +
				"D:7: containerDefinitions[0].mountPoints is an object; write a list\n" +
				"D:8: containerDefinitions[1].portMappings[0].hostPort is \"80\"; write a number\n" +
				"D:9: unknown key \"volume\"; did you mean \"volumes\"?"},
		{"names of nothing", "{\"AWSEBDockerrunVersion\":2,\"containerDefinitions\":[{\"name\":\"web\",\"image\":\"x\",\"memory\":1,\n\"links\":[\"api\",\n\"ap:alias\"],\n\"volumesFrom\":[{\"sourceContainer\":\"data\"}],\n\"dependsOn\":[{\"containerName\":\"db\",\"condition\":\"START\"}],\n\"mountPoints\":[{\"sourceVolume\":\"awseb-logs-web\",\"containerPath\":\"/l\"},{\"sourceVolume\":\"conf\",\"containerPath\":\"/c\"},\n{\"sourceVolume\":\"confs\",\"containerPath\":\"/d\"}]},\n{\"name\":\"api\",\"image\":\"x\",\"memory\":1}],\"volumes\":[{\"name\":\"conf\"}]}", nil,
			"D:3: container \"web\": links to \"ap\", which is no container of the file; it has api, web; did you mean \"api\"?\n" +
				"D:4: container \"web\": volumesFrom names \"data\", which is no container of the file; it has api, web\n" +
				"D:5: container \"web\": dependsOn names \"db\", which is no container of the file; it has api, web\n" +
				"D:7: container \"web\": mounts \"confs\", which is no volume of the file; it has conf; did you mean \"conf\"?"},
		{"keys and types of version 1", "{\"AWSEBDockerrunVersion\":\"1\",\"Image\":{\"Name\":\"x\",\"Update\":true},\"Ports\":[{\"ContainerPort\":\"80\"}],\n\"Volume\":[],\"Logging\":3}", nil,
			"D:2: unknown key \"Volume\"; did you mean \"Volumes\"?\nD:2: Logging is 3; write a text"},
		{"duplicate key", "{\"AWSEBDockerrunVersion\":\"1\",\n\"Image\":{\"Name\":\"x\",\n\"Name\":\"y\"},\"Ports\":[{\"ContainerPort\":80}]}", nil,
			"D:3: key \"Name\" is given twice, first on line 2: keep one"},
		{"version 1, two images and no image", "{\"AWSEBDockerrunVersion\":\"1\",\n\"Image\":{}}", given("a", "b"),
			"D: version 1 runs one container; 2 images are given: a, b\n" +
				"D:2: Image.Name is missing; version 1 deploys the image it names: write \"Image\": {\"Name\": \"guk0/app\"}, or have the instances build a Dockerfile beside it, with bundle: source and no images given"},
		{"version 1, no port", `{"AWSEBDockerrunVersion":"1","Image":{"Name":"x"}}`, nil,
			"D:1: Ports names no ContainerPort, which Image requires: write \"Ports\": [{\"ContainerPort\": 80}]"},
		{"a comma too many", "{\"a\":1,\n}", nil, "D:2: not valid JSON: invalid character '}' looking for beginning of object key string"},
		{"cut", "{\n\"a\":\n", nil, "D:2: not valid JSON: unexpected end of JSON input"},
		{"empty", " \n", nil, "D: the file is empty"},
		{"not UTF-8", "{\n\"a\":\"\xff\"}", nil, "D:2: the file is not UTF-8: save it as UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := RenderDockerrun("D", []byte(c.src), c.images)
			if err == nil {
				t.Fatalf("no error; rendered %q", got.Content)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDeployFileKind(t *testing.T) {
	for _, c := range []struct {
		file, src string
		want      Kind
	}{
		{"docker-compose.yml", "services: {}", Compose},
		{"deploy/compose.prod.yaml", "\t", Compose},
		{"Dockerrun.aws.json", `{"AWSEBDockerrunVersion":"1"}`, DockerrunV1},
		{"a/Dockerrun.aws.json", `{"AWSEBDockerrunVersion":2}`, DockerrunV2},
		{"Dockerrun.aws.json", `{"AWSEBDockerrunVersion":"3"}`, DockerrunV3},
	} {
		if got, err := DeployFileKind(c.file, []byte(c.src)); got != c.want || err != nil {
			t.Errorf("%s %s: %q, %v; want %q", c.file, c.src, got, err, c.want)
		}
	}
	for src, want := range map[string]Kind{
		`{"AWSEBDOCKERrunVersion":2}`: DockerrunV2, `{"AWSEBDockerrunVersion":"2"}`: DockerrunV2, `{"AWSEBDockerrunVersion":3}`: DockerrunV3,
		`{"AWSEBDockerrunVersion":"1","a":1,"a":2}`: DockerrunV1, `{"AWSEBDockerrunVersion":5}`: "", `{}`: "", `{`: "", ``: "",
	} {
		if got, err := DeployFileKind("Dockerrun.aws.json", []byte(src)); err == nil || got != want {
			t.Errorf("%s: %q, %v; want %q and an error", src, got, err, want)
		}
	}
}
