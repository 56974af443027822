package bucketname_test

import (
	"strings"
	"testing"

	"github.com/guk0/travois/internal/bucketname"
)

func TestCheck(t *testing.T) {
	for name, want := range map[string]string{
		"elasticbeanstalk-ap-northeast-2-957930470982": "",
		"a.b-c3": "",
		"elasticbeanstalk-ap-northeast-2-957930470982Info": `"elasticbeanstalk-ap-northeast-2-957930470982Info": upper-case letters are not allowed ` +
			`(S3 takes a-z, 0-9, '.' and '-'); did you mean "elasticbeanstalk-ap-northeast-2-957930470982"?`,
		"MyBucket":              `did you mean "mybucket"?`,
		"ab":                    "3 to 63 characters",
		strings.Repeat("a", 64): "3 to 63 characters",
		"my_bucket":             "only a-z",
		"-bucket":               "start and end with a letter or a digit",
		"bucket.":               "start and end",
		"a..b":                  "two dots",
		"192.168.0.1":           "IP address",
		"xn--bucket":            "reserved",
		"bucket--x-s3":          "reserved",
		"My_Bucket-":            "upper-case letters are not allowed (S3 takes a-z, 0-9, '.' and '-'); only a-z, 0-9, '.' and '-' are allowed; it must start",
	} {
		err := bucketname.Check(name)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q is refused: %v", name, err)
		case want != "" && err == nil:
			t.Errorf("%q passes; want %q", name, want)
		case want != "" && !strings.Contains(err.Error(), want):
			t.Errorf("%q: %v; want %q", name, err, want)
		}
	}
}
