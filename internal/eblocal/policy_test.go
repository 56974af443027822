package eblocal_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

const command = "aws:elasticbeanstalk:command"

// policied has an environment of three instances that runs v1, which it got by
// AllAtOnce; from then on it has another policy.
func policied(t *testing.T, policy string, faults eblocal.Faults, f func(t *testing.T, s *stage)) {
	t.Helper()
	staged(t, eblocal.Options{Watch: 10 * time.Second}, func(t *testing.T, s *stage) {
		s.Engine.Boot = time.Minute
		s.version("v1")
		s.version("v2")
		s.deployed("v1", option(command, "DeploymentPolicy", "AllAtOnce"), option("aws:autoscaling:asg", "MinSize", "3"),
			option(command, "BatchSizeType", "Fixed"), option(command, "BatchSize", "1"))
		s.update("", option(command, "DeploymentPolicy", policy))
		s.settle()
		s.SetFaults(faults)
		f(t, s)
	})
}

// outline is what events say without ids.
func (s *stage) outline(events []string) []string {
	for n, e := range events {
		for i, instance := range s.health() {
			e = strings.ReplaceAll(e, aws.ToString(instance.InstanceId), "i-"+string(rune('a'+i)))
		}
		events[n] = e
	}
	return events
}

// health is that of the instances, page by page.
func (s *stage) health() []ebtypes.SingleInstanceHealth {
	s.t.Helper()
	var all []ebtypes.SingleInstanceHealth
	in := &elasticbeanstalk.DescribeInstancesHealthInput{EnvironmentName: aws.String(eblocaltest.Env), AttributeNames: []ebtypes.InstancesHealthAttribute{"All"}}
	for {
		out, err := s.eb.DescribeInstancesHealth(s.t.Context(), in)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, out.InstanceHealthList...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return all
		}
	}
}

// states are label, deployment and health of each instance.
func (s *stage) states() []string {
	s.t.Helper()
	var states []string
	for _, i := range s.health() {
		states = append(states, aws.ToString(i.Deployment.VersionLabel)+" "+aws.ToString(i.Deployment.Status)+" "+aws.ToString(i.HealthStatus))
	}
	return states
}

func (s *stage) causes() []string {
	s.t.Helper()
	out, err := s.eb.DescribeEnvironmentHealth(s.t.Context(), &elasticbeanstalk.DescribeEnvironmentHealthInput{
		EnvironmentName: aws.String(eblocaltest.Env), AttributeNames: []ebtypes.EnvironmentHealthAttribute{"All"}})
	if err != nil {
		s.t.Fatal(err)
	}
	return append([]string{aws.ToString(out.HealthStatus)}, out.Causes...)
}

func (s *stage) mustBe(label string, states ...string) {
	s.t.Helper()
	if got := aws.ToString(s.environment().VersionLabel); got != label {
		s.t.Errorf("label %q, expected %q", got, label)
	}
	if diff := cmp.Diff(states, s.states()); diff != "" {
		s.t.Errorf("instances (-want +got):\n%s", diff)
	}
	if got := len(s.Engine.Running()); got != len(states) {
		s.t.Errorf("%d instances run, expected %d", got, len(states))
	}
}

func TestPoliciesDeploy(t *testing.T) {
	const v2 = "v2 Deployed Ok"
	for _, policy := range []string{"AllAtOnce", "Rolling", "RollingWithAdditionalBatch", "Immutable", "TrafficSplitting"} {
		t.Run(policy, func(t *testing.T) {
			policied(t, policy, eblocal.Faults{InstancePage: 2}, func(t *testing.T, s *stage) {
				s.mustBe("v1", "v1 Deployed Ok", "v1 Deployed Ok", "v1 Deployed Ok")
				events := s.deployed("v2")
				s.mustBe("v2", v2, v2, v2)
				if last := events[len(events)-1]; last != "INFO Environment update completed successfully." {
					t.Errorf("the last event: %s", last)
				}
				if diff := cmp.Diff([]string{"Ok"}, s.causes()); diff != "" {
					t.Errorf("health (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestPoliciesFail breaks the second instance that gets the new version.
func TestPoliciesFail(t *testing.T) {
	const (
		old, done, failed = "v1 Deployed Ok", "v2 Deployed Degraded", "v2 Failed Severe"
		aborted           = "ERROR During an aborted deployment, some instances may have deployed the new application version. To ensure all instances are running the same version, re-deploy the appropriate application version."
	)
	cases := []struct {
		policy string
		states []string
		last   string
	}{
		{"AllAtOnce", nil, aborted},
		{"Rolling", []string{done, failed, old}, aborted},
		{"RollingWithAdditionalBatch", []string{failed, old, old}, aborted},
		{"Immutable", []string{old, old, old}, "ERROR Failed to deploy application."},
		{"TrafficSplitting", []string{old, old, old}, "ERROR Failed to deploy application."},
	}
	for _, c := range cases {
		t.Run(c.policy, func(t *testing.T) {
			policied(t, c.policy, eblocal.Faults{}, func(t *testing.T, s *stage) {
				s.Engine.Break(eblocaltest.Breakage{Match: "example/web:v2", Skip: 1, Times: 1, Exit: 3, Log: "no database"})
				events := s.deployed("v2")
				if last := events[len(events)-1]; last != c.last {
					t.Errorf("the last event: %s", last)
				}
				if !slices.ContainsFunc(events, func(e string) bool { return strings.Contains(e, `Container "web" exited with code 3.`) }) {
					t.Errorf("the cause is in no event: %q", events)
				}
				states := s.states()
				if c.states == nil { // any of the three
					slices.Sort(states)
					c.states = []string{done, done, failed}
					if diff := cmp.Diff(c.states, states); diff != "" {
						t.Errorf("instances (-want +got):\n%s", diff)
					}
				} else {
					s.mustBe("v1", c.states...)
				}
				s.Engine.Mend()
				s.deployed("v1")
				s.mustBe("v1", old, old, old)
			})
		})
	}
}

func TestRollingEvents(t *testing.T) {
	policied(t, "Rolling", eblocal.Faults{}, func(t *testing.T, s *stage) {
		s.update("", option(command, "BatchSize", "2"))
		s.settle()
		s.Engine.Break(eblocaltest.Breakage{Match: "example/web:v2", Skip: 2, Exit: 3})
		want := []string{
			"INFO Environment update is starting.",
			"INFO Deploying new version to instance(s).",
			"INFO Batch 1: Starting application deployment on instance(s) [i-a, i-b].",
			"INFO Batch 1: De-registering instance(s) from the load balancer and waiting for them to go out of service.",
			"INFO Batch 1: Starting application deployment command execution.",
			"INFO Instance deployment completed successfully.",
			"INFO Batch 1: Completed application deployment command execution.",
			"INFO Command execution completed on 2 of 3 instances in environment.",
			"INFO Batch 1: Registering instance(s) with the load balancer and waiting for them to be healthy.",
			"INFO Batch 1: Completed application deployment.",
			"INFO Batch 2: Starting application deployment on instance(s) [i-c].",
			"INFO Batch 2: De-registering instance(s) from the load balancer and waiting for them to go out of service.",
			"INFO Batch 2: Starting application deployment command execution.",
			"ERROR Instance deployment failed. For details, see 'eb-engine.log'.",
			`ERROR [Instance: i-c] Command failed on instance. Return code: 1 Output: Container "web" exited with code 3.`,
			"INFO Command execution completed on all instances. Summary: [Successful: 2, Failed: 1].",
			"ERROR Unsuccessful command execution on instance id(s) 'i-c'. Aborting the operation.",
			"ERROR Failed to deploy application.",
			"ERROR During an aborted deployment, some instances may have deployed the new application version. To ensure all instances are running the same version, re-deploy the appropriate application version.",
		}
		if diff := cmp.Diff(want, s.outline(s.deployed("v2"))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		health := []string{"Degraded", `Incorrect application version found on all instances. Expected version "v1" (deployment 1).`, `Container "web" exited with code 3.`,
			`Port 80 of container "web" does not answer: connection refused.`}
		if diff := cmp.Diff(health, s.causes()); diff != "" {
			t.Errorf("health (-want +got):\n%s", diff)
		}
	})
}

// TestHiddenFailure has an update called a success that one instance did not take.
func TestHiddenFailure(t *testing.T) {
	policied(t, "Rolling", eblocal.Faults{HideFailure: true}, func(t *testing.T, s *stage) {
		s.Engine.Break(eblocaltest.Breakage{Match: "example/web:v2", Skip: 2, Start: "no space left on device"})
		events := s.deployed("v2")
		if slices.ContainsFunc(events, func(e string) bool { return strings.HasPrefix(e, "ERROR") }) {
			t.Errorf("an event tells of the failure: %q", events)
		}
		s.mustBe("v2", "v2 Deployed Ok", "v2 Deployed Ok", "v2 Failed Ok")
		for _, file := range s.Engine.Running() {
			if strings.Contains(file, "web:v1") {
				return
			}
		}
		t.Error("no instance runs the version of before")
	})
}

func TestAbortPutsBack(t *testing.T) {
	for _, policy := range []string{"AllAtOnce", "Rolling", "RollingWithAdditionalBatch", "Immutable", "TrafficSplitting"} {
		t.Run(policy, func(t *testing.T) {
			policied(t, policy, eblocal.Faults{}, func(t *testing.T, s *stage) {
				id := s.update("v2")
				time.Sleep(90 * time.Second)
				if _, err := s.eb.AbortEnvironmentUpdate(t.Context(), &elasticbeanstalk.AbortEnvironmentUpdateInput{EnvironmentName: aws.String(eblocaltest.Env)}); err != nil {
					if policy == "AllAtOnce" {
						return // it was done by then
					}
					t.Fatal(err)
				}
				s.settle()
				events := s.lines(&elasticbeanstalk.DescribeEventsInput{RequestId: aws.String(id)})
				if last := events[len(events)-1]; !strings.HasPrefix(last, "ERROR The environment update was aborted") {
					t.Errorf("the last event: %s", last)
				}
				s.mustBe("v1", "v1 Deployed Ok", "v1 Deployed Ok", "v1 Deployed Ok")
			})
		})
	}
}

// TestAbortComesTooLate aborts while the old instances are removed.
func TestAbortComesTooLate(t *testing.T) {
	policied(t, "Immutable", eblocal.Faults{}, func(t *testing.T, s *stage) {
		released := s.Engine.HoldRemovals()
		s.update("v2")
		time.Sleep(5 * time.Minute)
		if e := s.environment(); e.Status != "Updating" || aws.ToBool(e.AbortableOperationInProgress) {
			t.Errorf("status %s, abortable %v; expected Updating, false", e.Status, aws.ToBool(e.AbortableOperationInProgress))
		}
		_, err := s.eb.AbortEnvironmentUpdate(t.Context(), &elasticbeanstalk.AbortEnvironmentUpdateInput{EnvironmentName: aws.String(eblocaltest.Env)})
		mustRefuse(t, err, "InvalidParameterValue", "Must be pending deployment.")
		released()
		s.settle()
		s.mustBe("v2", "v2 Deployed Ok", "v2 Deployed Ok", "v2 Deployed Ok")
	})
}

// TestTrafficIsSplit counts which version answers while traffic is split.
func TestTrafficIsSplit(t *testing.T) {
	var front http.Handler
	opts := eblocal.Options{Watch: 10 * time.Second}
	staged(t, opts, func(t *testing.T, s *stage) {
		s.version("v1")
		s.version("v2")
		s.deployed("v1", option(command, "DeploymentPolicy", "TrafficSplitting"),
			option("aws:elasticbeanstalk:trafficsplitting", "NewVersionPercent", "30"))
		front = s.Front(eblocaltest.Env)
		count := func() (fresh int) {
			for range 100 {
				w := httptest.NewRecorder()
				front.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://app.test/", nil).WithContext(t.Context()))
				if strings.Contains(w.Body.String(), "web:v2") {
					fresh++
				}
			}
			return fresh
		}
		id := s.update("v2")
		time.Sleep(time.Minute)
		if got := count(); got != 30 {
			t.Errorf("%d of 100 requests went to the new version, expected 30", got)
		}
		if got := len(s.Engine.Running()); got != 2 {
			t.Errorf("%d instances, expected the old one and the new one", got)
		}
		s.settle()
		if got := count(); got != 100 {
			t.Errorf("in the end %d of 100 requests went to the new version", got)
		}
		s.Engine.Break(eblocaltest.Breakage{Match: "web:v1", After: 2 * time.Minute, Status: 503})
		events := s.deployed("v1")
		if got := count(); got != 100 {
			t.Errorf("after a failed evaluation %d of 100 requests go to the version of before: %q", got, events)
		}
		if all := s.lines(&elasticbeanstalk.DescribeEventsInput{RequestId: aws.String(id)}); !slices.Contains(all, "INFO Sending 30% of the traffic to the new instances for 5 minutes.") {
			t.Errorf("events: %q", all)
		}
	})
}

func TestDip(t *testing.T) {
	policied(t, "AllAtOnce", eblocal.Faults{Dip: time.Minute}, func(t *testing.T, s *stage) {
		s.deployed("v2")
		if e := s.environment(); e.Status != "Ready" || e.Health != "Red" {
			t.Errorf("right after: %s, %s; expected Ready and Red", e.Status, e.Health)
		}
		time.Sleep(80 * time.Second)
		if e := s.environment(); e.Health != "Green" {
			t.Errorf("later: %s, expected Green", e.Health)
		}
	})
}

func TestSizeFollowsTheSetting(t *testing.T) {
	policied(t, "Rolling", eblocal.Faults{}, func(t *testing.T, s *stage) {
		for _, size := range []string{"4", "2"} {
			s.update("", option("aws:autoscaling:asg", "MinSize", size))
			s.settle()
			if got := len(s.health()); size != string(rune('0'+got)) {
				t.Errorf("%d instances, expected %s", got, size)
			}
		}
	})
}

func TestBasicHealth(t *testing.T) {
	policied(t, "Rolling", eblocal.Faults{}, func(t *testing.T, s *stage) {
		s.update("", option("aws:elasticbeanstalk:healthreporting:system", "SystemType", "basic"))
		s.settle()
		_, err := s.eb.DescribeInstancesHealth(t.Context(), &elasticbeanstalk.DescribeInstancesHealthInput{EnvironmentName: aws.String(eblocaltest.Env)})
		mustRefuse(t, err, "InvalidRequestException", "not supported")
		if e := s.environment(); e.HealthStatus != "" || e.Health != "Green" {
			t.Errorf("health %s, status %q: expected Green and no status", e.Health, e.HealthStatus)
		}
	})
}
