package ebdeploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/bundle"
)

// findings are what a check finds: what stops a deployment, and what does not.
type findings struct{ problems, warnings []error }

func (f *findings) refuse(err error) { f.problems = append(f.problems, err) }
func (f *findings) warn(err error)   { f.warnings = append(f.warnings, err) }

// check holds the plan against the account, its environments and the images'
// registries. Everything that is wrong is reported together.
func (d deployment) check(ctx context.Context, client *beanstalk.Client, p plan) (beanstalk.Target, error) {
	return d.checkAgainst(ctx, client, p, p.request())
}

func (d deployment) checkAgainst(ctx context.Context, client *beanstalk.Client, p plan, want beanstalk.Request) (beanstalk.Target, error) {
	images := make(chan findings, 1)
	go func() { images <- p.checkImages(ctx) }()
	target, err := d.preflight(ctx, client, want)
	found := <-images
	p.checkTexts(&found)
	for _, destination := range target.Destinations {
		p.checkEnvironment(destination, &found)
	}
	p.checkExisting(ctx, client, target, &found)
	for _, warning := range distinct(found.warnings) {
		d.runner.Log.Warning(warning)
	}
	return target, errors.Join(append([]error{err}, distinct(found.problems)...)...)
}

// checkTexts finds what no instance can read or pull, in whatever environment.
func (p plan) checkTexts(found *findings) {
	for _, line := range p.asks.Malformed {
		found.refuse(p.file.at(line, errors.New("a ${ here begins no ${NAME}, and Docker Compose stops at it: complete it, or write $${ where it is for the container")))
	}
	for _, err := range bundle.Unusable(p.file.path, p.file.kind, p.file.source, p.file.texts(p.images)) {
		found.refuse(p.file.placed(err))
	}
}

// distinct leaves each text once: environments may have them in common.
func distinct(all []error) []error {
	var kept []error
	for _, one := range all {
		if !slices.ContainsFunc(kept, func(other error) bool { return other.Error() == one.Error() }) {
			kept = append(kept, one)
		}
	}
	return kept
}

// checkEnvironment holds what the bundle asks for against what an environment
// gives.
func (p plan) checkEnvironment(d beanstalk.Destination, found *findings) {
	if p.existing {
		return
	}
	options := d.Settings.Options.Merge(p.config.options())
	p.checkReadable(options, found)
	for _, line := range p.asks.OldLimits {
		found.warn(p.file.at(line, errors.New("mem_limit is unknown to Compose 1 in a file of version 3, which older platforms run: write deploy.resources.limits.memory, or version: '2.4'")))
	}
	if d.New || d.Settings.Options != nil {
		p.checkVariables(d, options, found)
	}
	p.checkPort(d, options, found)
}

// processOptions hold the port that a web environment sends its requests to, of a
// process of each name; listenerOptions that of a Classic Load Balancer.
const (
	processOptions  = "aws:elasticbeanstalk:environment:process"
	listenerOptions = "aws:elb:listener"
)

// requestPorts are those that the load balancer may send requests to, that of the
// default process first.
func requestPorts(options beanstalk.Options) []int {
	texts := []string{cmp.Or(options.Get(processOptions+":default", "Port"), "80")}
	for _, o := range options.Sorted() {
		of := func(namespace, name string) bool {
			return o.Name == name && (o.Namespace == namespace || strings.HasPrefix(o.Namespace, namespace+":"))
		}
		if of(processOptions, "Port") || of(listenerOptions, "InstancePort") {
			texts = append(texts, options[o])
		}
	}
	var ports []int
	for _, text := range texts {
		if port, err := strconv.Atoi(text); err == nil {
			ports = append(ports, port)
		}
	}
	return ports
}

// checkPort wants a port published that the load balancer sends requests to. An
// environment of one instance may be meant for another one, and a bundle may bring
// its own.
func (p plan) checkPort(d beanstalk.Destination, options beanstalk.Options, found *findings) {
	ports := requestPorts(options)
	published := func(port int) bool { return slices.Contains(p.asks.Ports, port) }
	if len(ports) == 0 || !p.asks.AllPorts || slices.ContainsFunc(ports, published) || d.Environment.Tier != "WebServer" ||
		p.extensions.brings(processOptions) || p.extensions.brings(listenerOptions) {
		return
	}
	port := ports[0]
	problem := p.file.at(0, fmt.Errorf("no service publishes port %d, to which environment %q sends its requests: add ports: [\"%d:<port of the container>\"] to the one that is to answer", port, d.Environment.Name, port))
	if p.file.kind == bundle.DockerrunV2 {
		problem = p.file.at(0, fmt.Errorf(`no container is mapped to port %d of the host, to which environment %q sends its requests: add "portMappings": [{"hostPort": %d, "containerPort": <port of the container>}] to the one that is to answer`, port, d.Environment.Name, port))
	}
	if options.Get("aws:elasticbeanstalk:environment", "EnvironmentType") == "SingleInstance" {
		found.warn(problem)
		return
	}
	found.refuse(problem)
}
