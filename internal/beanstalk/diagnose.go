package beanstalk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// Diagnosis is what an environment tells about a failure. Secrets are hidden
// in all of it.
type Diagnosis struct {
	// Causes are the sentences of the health reports.
	Causes []string
	// Tails are the ends of the logs, one for each instance.
	Tails []Tail
	// Missing says what could not be read, and why.
	Missing []string
}

// Tail is the end of an instance's logs.
type Tail struct{ Instance, Text string }

const (
	// tailTime bounds the wait for the instances to hand in their logs, fetchTime
	// the fetching of those that came.
	tailTime  = 60 * time.Second
	fetchTime = 20 * time.Second
	// The ends that are read and kept of an instance's logs.
	tailBytes = 64 << 10
	tailLines = 400
)

// Diagnose asks the environment why. Logs count from the server's time since
// on, those of an instance that is gone by now included; the zero time is now.
// It has a bound of its own and does not fail: what can't be read is said in
// Missing. Where the environment's secrets are not known, its causes and logs
// are not shown.
func (c *Client) Diagnose(ctx context.Context, env string, since time.Time, secrets Secrets) Diagnosis {
	return c.diagnose(ctx, env, &since, secrets)
}

// Causes is what Diagnose tells, without the logs: they are not asked for.
func (c *Client) Causes(ctx context.Context, env string, secrets Secrets) Diagnosis {
	return c.diagnose(ctx, env, nil, secrets)
}

// diagnose takes no logs where since is nil.
func (c *Client) diagnose(ctx context.Context, env string, since *time.Time, secrets Secrets) Diagnosis {
	ctx, cancel := context.WithTimeout(ctx, tailTime+fetchTime)
	defer cancel()
	if secrets.unread != nil {
		return Diagnosis{Missing: []string{"the causes and the logs are not shown, and of the events only fixed texts: " +
			"they may hold secrets, which are not known: " + secrets.unread.Error()}}
	}
	var d Diagnosis
	instances := c.diagnoseHealth(ctx, env, &d)
	if since != nil {
		c.diagnoseLogs(ctx, env, *since, instances, &d)
	}
	for i := range d.Tails {
		d.Tails[i].Text = secrets.Hide(d.Tails[i].Text)
	}
	for i, cause := range d.Causes {
		d.Causes[i] = secrets.Hide(cause)
	}
	return d
}

// diagnoseHealth collects the causes; it gives the number of instances.
func (c *Client) diagnoseHealth(ctx context.Context, env string, d *Diagnosis) int {
	out, err := c.eb.DescribeEnvironmentHealth(ctx, &elasticbeanstalk.DescribeEnvironmentHealthInput{
		EnvironmentName: &env,
		AttributeNames:  []types.EnvironmentHealthAttribute{types.EnvironmentHealthAttributeAll},
	})
	switch {
	case mute(err) && !refusesPermission(err):
		d.Missing = append(d.Missing, fmt.Sprintf("environment %q has basic health reporting, which tells no causes; enhanced reporting does", env))
		return 0
	case err != nil:
		d.Missing = append(d.Missing, failed(err, "read the health of environment %q", env).Error())
		return 0
	}
	d.Causes = append(d.Causes, out.Causes...)
	instances, err := c.instances(ctx, env)
	// A refusal that is not about permissions comes from basic health
	// reporting, which does not know the instances.
	if err != nil && (!Refused(err) || refusesPermission(err)) {
		d.Missing = append(d.Missing, err.Error())
	}
	for _, i := range instances {
		for _, cause := range i.Causes {
			d.Causes = append(d.Causes, i.ID+": "+cause)
		}
	}
	return len(instances)
}

// diagnoseLogs asks the instances for their logs and waits until they are there.
// One that can't be fetched keeps none of the others.
func (c *Client) diagnoseLogs(ctx context.Context, env string, since time.Time, instances int, d *Diagnosis) {
	waiting, cancel := context.WithTimeout(ctx, tailTime)
	defer cancel()
	out, err := c.eb.RequestEnvironmentInfo(waiting, &elasticbeanstalk.RequestEnvironmentInfoInput{
		EnvironmentName: &env, InfoType: types.EnvironmentInfoTypeTail,
	})
	if err != nil {
		d.Missing = append(d.Missing, failed(err, "ask for the logs of environment %q", env).Error())
		return
	}
	asked := serverTime(out.ResultMetadata).Truncate(time.Second)
	if since.IsZero() {
		since = asked
	}
	infos, err := c.awaitTails(waiting, env, window{since, asked}, instances)
	if err != nil {
		d.Missing = append(d.Missing, err.Error())
	}
	for _, info := range infos {
		instance := aws.ToString(info.Ec2InstanceId)
		text, err := c.fetch(ctx, aws.ToString(info.Message), tailBytes)
		if err != nil {
			d.Missing = append(d.Missing, fmt.Sprintf("instance %s: %v", instance, err))
			continue
		}
		if strings.TrimSpace(text) != "" {
			d.Tails = append(d.Tails, Tail{Instance: instance, Text: lastLines(text, tailLines)})
		}
	}
}

// window tells logs that are of use from those that were asked for now.
type window struct{ since, asked time.Time }

func notBefore(at time.Time) func(types.EnvironmentInfoDescription) bool {
	return func(i types.EnvironmentInfoDescription) bool {
		return i.SampleTimestamp == nil || !i.SampleTimestamp.Before(at)
	}
}

func count(all []types.EnvironmentInfoDescription, is func(types.EnvironmentInfoDescription) bool) int {
	n := 0
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}

// awaitTails polls until all instances have answered, or no more of them do.
func (c *Client) awaitTails(ctx context.Context, env string, w window, instances int) ([]types.EnvironmentInfoDescription, error) {
	before := 0
	for {
		out, err := c.eb.RetrieveEnvironmentInfo(ctx, &elasticbeanstalk.RetrieveEnvironmentInfoInput{
			EnvironmentName: &env, InfoType: types.EnvironmentInfoTypeTail,
		})
		if err != nil {
			return nil, failed(err, "read the logs of environment %q", env)
		}
		useful := notBefore(w.since)
		infos := lastOfEach(slices.DeleteFunc(out.EnvironmentInfo, func(i types.EnvironmentInfoDescription) bool { return !useful(i) }))
		n := len(infos)
		if n > 0 && (n == before || count(infos, notBefore(w.asked)) >= max(instances, 1)) {
			return infos, nil
		}
		before = n
		if c.pace.wait(ctx, lookInterval) != nil {
			return infos, fmt.Errorf("the logs of environment %q did not come within %s", env, tailTime)
		}
	}
}

// lastOfEach are the last logs of each instance. Those of every request stay listed for
// a while, the latest last, and a request whose answer got lost is made twice.
func lastOfEach(all []types.EnvironmentInfoDescription) []types.EnvironmentInfoDescription {
	var last []types.EnvironmentInfoDescription
	for _, info := range slices.Backward(all) {
		same := func(o types.EnvironmentInfoDescription) bool {
			return aws.ToString(o.Ec2InstanceId) == aws.ToString(info.Ec2InstanceId)
		}
		if !slices.ContainsFunc(last, same) {
			last = append(last, info)
		}
	}
	slices.Reverse(last)
	return last
}

func lastLines(text string, most int) string {
	lines := strings.SplitAfter(text, "\n")
	if len(lines) > most {
		lines = lines[len(lines)-most:]
	}
	return strings.Join(lines, "")
}
