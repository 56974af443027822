package test

import (
	"errors"
	"fmt"
)

// checkCommand refuses a container that has nothing to run, before any is
// started.
func checkCommand(one service, image made) error {
	if len(one.container.Entrypoint)+len(one.container.Command)+len(image.Entrypoint)+len(image.Command) > 0 {
		return nil
	}
	return errors.New("has no command, and its image has neither CMD nor ENTRYPOINT; give the service a command")
}

// checkHealth refuses a wait for the health of a container that has no check.
func checkHealth(one service, image made) error {
	switch health := one.container.Health; {
	case health != nil && len(health.Test) > 0 && health.Test[0] == "NONE":
		return errors.New("is waited for to be healthy, and its healthcheck is disabled; enable it, or wait for service_started")
	case health != nil && len(health.Test) > 0, image.Health:
		return nil
	}
	return errors.New("is waited for to be healthy, and neither the service nor its image has a healthcheck; give it one, or wait for service_started")
}

// ready tells why a suite can't be run with the images that there are.
func (s *session) ready(one suite, images map[string]made) error {
	var problems []error
	for _, name := range one.bases {
		if err := images[name].err; err != nil {
			problems = append(problems, about(one, name, err))
		}
	}
	for _, name := range one.members() {
		service := s.plan.services[name]
		err := images[name].err
		if err == nil {
			err = checkCommand(service, images[name])
		}
		if err != nil {
			problems = append(problems, about(one, name, err))
			continue
		}
		for _, need := range service.needs {
			if need.condition == healthy && images[need.service].err == nil {
				if err := checkHealth(s.plan.services[need.service], images[need.service]); err != nil {
					problems = append(problems, about(one, need.service, err))
				}
			}
		}
	}
	return errors.Join(problems...)
}

// about names what an error of a suite is about.
func about(one suite, name string, err error) error {
	if name == one.name {
		return fmt.Errorf("suite %q: %w", one.name, err)
	}
	return fmt.Errorf("suite %q: %s: %w", one.name, name, err)
}

// kept are the names of the images that stay, by service.
func (s *session) kept(images map[string]made) map[string]string {
	names := map[string]string{}
	for name, one := range s.plan.services {
		if s.plan.keep && one.build != nil && images[name].err == nil {
			names[name] = one.image.String()
		}
	}
	return names
}
