package beanstalk

import (
	"net/url"
	"strings"
)

// Console makes addresses of the AWS console. The zero value makes none, as
// for an endpoint that is not AWS.
type Console struct{ region string }

// Console is that of the client's region.
func (c *Client) Console() Console {
	if c.elsewhere {
		return Console{}
	}
	return Console{c.region}
}

// page is an address in the console of the region's partition (AWS General
// Reference, "AWS Management Console").
func (c Console) page(path string) string {
	switch {
	case strings.HasPrefix(c.region, "cn-"):
		return "https://" + c.region + ".console.amazonaws.cn/" + path
	case strings.HasPrefix(c.region, "us-gov-"):
		return "https://" + c.region + ".console.amazonaws-us-gov.com/" + path
	}
	return "https://" + c.region + ".console.aws.amazon.com/" + path
}

// Environment is the page of an environment by its id.
func (c Console) Environment(id string) string {
	if c.region == "" || id == "" {
		return ""
	}
	return c.page("elasticbeanstalk/home?region=" + c.region + "#/environment/dashboard?environmentId=" + url.QueryEscape(id))
}

// Object is the page of an S3 object.
func (c Console) Object(bucket, key string) string {
	if c.region == "" || bucket == "" {
		return ""
	}
	return c.page("s3/object/" + url.PathEscape(bucket) + "?region=" + c.region + "&prefix=" + url.QueryEscape(key))
}
