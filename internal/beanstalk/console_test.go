package beanstalk_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/guk0/travois/internal/beanstalk"
)

func TestConsole(t *testing.T) {
	for region, want := range map[string][2]string{
		"ap-northeast-2": {
			"https://ap-northeast-2.console.aws.amazon.com/elasticbeanstalk/home?region=ap-northeast-2#/environment/dashboard?environmentId=e-abc",
			"https://ap-northeast-2.console.aws.amazon.com/s3/object/bucket?region=ap-northeast-2&prefix=app%2Fa+b.zip",
		},
		"cn-north-1": {
			"https://cn-north-1.console.amazonaws.cn/elasticbeanstalk/home?region=cn-north-1#/environment/dashboard?environmentId=e-abc",
			"https://cn-north-1.console.amazonaws.cn/s3/object/bucket?region=cn-north-1&prefix=app%2Fa+b.zip",
		},
		"us-gov-west-1": {
			"https://us-gov-west-1.console.amazonaws-us-gov.com/elasticbeanstalk/home?region=us-gov-west-1#/environment/dashboard?environmentId=e-abc",
			"https://us-gov-west-1.console.amazonaws-us-gov.com/s3/object/bucket?region=us-gov-west-1&prefix=app%2Fa+b.zip",
		},
	} {
		c := beanstalk.New(aws.Config{Region: region}).Console()
		if got := [2]string{c.Environment("e-abc"), c.Object("bucket", "app/a b.zip")}; got != want {
			t.Errorf("%s: %q; want %q", region, got, want)
		}
		if c.Environment("") != "" || c.Object("", "") != "" {
			t.Errorf("%s: there are pages of nothing", region)
		}
		local := beanstalk.New(aws.Config{Region: region, BaseEndpoint: aws.String("http://localhost:1")}).Console()
		if local.Environment("e-abc") != "" || local.Object("bucket", "key") != "" {
			t.Errorf("%s: there are pages of another endpoint", region)
		}
	}
}
