package ebdeploy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk"
)

func TestProperties(t *testing.T) {
	var got properties
	if err := got.UnmarshalText([]byte("MYSQL_HOST=db.test\n\nURL= a=b&c=\"d\" \r\nGONE=\n")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"MYSQL_HOST": "db.test", "URL": ` a=b&c="d" `, "GONE": ""}, map[string]string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text := fmt.Sprintf("%v %#v %+v", got, got, struct{ P properties }{got}); strings.Contains(text, "db.test") {
		t.Errorf("a format shows a value: %s", text)
	}
	err := got.UnmarshalText([]byte("A=1\nc2VjcmV0\n- B=2\nexport C=3\n=4\nA=5\n"))
	const wrong = "what stands before the = is no name of a property: allowed are letters, digits and _ . : / + \\ - @, without a space"
	want := "line 2 is not KEY=VALUE\nline 3: " + wrong + "\nline 4: " + wrong + "\nline 5: " + wrong + "\nline 6 gives a property a second time"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestSettings(t *testing.T) {
	for name, text := range map[string]string{
		"namespaces": `{"aws:autoscaling:asg": {"MaxSize": 4, "Cooldown": "", "Gone": null}, "aws:x:y": {"On": true}}`,
		"list": `[{"Namespace":"aws:autoscaling:asg","OptionName":"MaxSize","Value":"4"},{"Namespace":"aws:autoscaling:asg","OptionName":"Cooldown","Value":""},
			{"Namespace":"aws:autoscaling:asg","OptionName":"Gone"},{"Namespace":"aws:x:y","OptionName":"On","Value":"true"}]`,
	} {
		var got settings
		if err := got.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := settings{
			{Namespace: "aws:autoscaling:asg", Name: "MaxSize"}: "4", {Namespace: "aws:autoscaling:asg", Name: "Cooldown"}: "",
			{Namespace: "aws:autoscaling:asg", Name: "Gone"}: "", {Namespace: "aws:x:y", Name: "On"}: "true",
		}
		if diff := cmp.Diff(map[beanstalk.Option]string(want), map[beanstalk.Option]string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for text, want := range map[string]string{
		"{\n  \"aws:a:b\": {\"A\": word-1}\n}":                       "line 2 is no JSON; " + settingsShapes,
		`{"aws:a:b": "word-1"}`:                                      "line 1 is not of the shape; " + settingsShapes,
		`{"MaxSize": {"x": "word-1"}, "aws:a:b": {"A": ["word-1"]}}`: "\"MaxSize\" is no namespace; " + settingsShapes + "\naws:a:b A is neither text, number nor truth; write a list as one text with commas",
		`[{"Namespace":"aws:a:b","OptionName":"A","Value":"word-1"},{"Namespace":"aws:a:b","OptionName":"A"},{"Namespace":"aws:a:b"}]`: "entry 2 gives aws:a:b A a second time\nentry 3 has no OptionName",
		"{\"aws:a:b\": {\"A\": \"word-1\",\n\"A\": \"word-2\"},\n\"aws:a:b\": {}}":                                                     "line 2 gives aws:a:b A a second time\nline 3 gives aws:a:b a second time",
		`[{"Namespace":"aws:a:b","OptionName":"A","Value":"word","Value":"word"}]`:                                                     "line 1 gives Value a second time",
		`{"aws:a:b": {"A": "1"}} {}`:                          "more follows after its end; " + settingsShapes,
		`[{"Namespace":"aws:a:b","Name":"A","Value":"word"}]`: "json: unknown field \"Name\"; " + settingsShapes,
	} {
		var s settings
		if err := s.UnmarshalText([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", text, err, want)
		}
	}
}
