package junit_test

import (
	"strings"
	"testing"

	"github.com/guk0/travois/internal/junit"
)

func TestPathMap(t *testing.T) {
	var m junit.PathMap
	if err := m.UnmarshalText([]byte("\n/app = web\n/app/vendor/own=lib/\n")); err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{"web/a.js": true, "lib/x.js": true, "web/vendor/own/y.js": true}
	for name, want := range map[string]string{
		"/app/a.js": "web/a.js", "a.js": "web/a.js", "./a.js": "web/a.js", "/app/vendor/own/x.js": "lib/x.js", "/app/vendor/own/y.js": "web/vendor/own/y.js",
		"/application/a.js": "", "/app/../etc/passwd": "", "../a.js": "", "/app/none.js": "",
	} {
		got, ok := m.Map(name, func(name string) bool { return files[name] })
		if got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %t, want %q", name, got, ok, want)
		}
	}
	for text, want := range map[string]string{
		"app=web": "app is no absolute path", "/app": "is not /path/in/container", "/app=": "is not /path/in/container", "/app=../x": "../x leaves the workspace", "/a=/b": "/b leaves",
	} {
		if err := new(junit.PathMap).UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestPlace(t *testing.T) {
	files := map[string]bool{
		"web/src/a.test.js": true, "web/src/a.js": true, "web/tests/test_db.py": true, "web/x_test.go": true, "web/tests/AppTest.php": true, "web/spec/a_spec.rb": true,
	}
	paths := junit.PathMap{{From: "/app", To: "web"}}
	for _, c := range []struct {
		name string
		test junit.Case
		file string
		line int
	}{
		{"attributes", junit.Case{File: "/app/src/a.test.js", Line: 7}, "web/src/a.test.js", 7},
		{"a stack in the test's file", junit.Case{File: "src/a.test.js", Output: "Error\n at f (/app/src/a.js:3:1)\n at /app/src/a.test.js:9:2"}, "web/src/a.test.js", 9},
		{"a stack elsewhere", junit.Case{Output: "Error\n at f (/app/node_modules/v/i.js:1:1)\n at g (file:///app/src/a.js:3:1)"}, "web/src/a.js", 3},
		{"class is a file", junit.Case{Class: "src/a.test.js"}, "web/src/a.test.js", 0},
		{"suite is a file", junit.Case{Suite: "src/a.test.js", Class: "adds"}, "web/src/a.test.js", 0},
		{"Python", junit.Case{Class: "tests.test_db", Output: "tests/test_db.py:12: AssertionError"}, "web/tests/test_db.py", 12},
		{"Python's trace", junit.Case{Output: "File \"/usr/lib/python3/unittest.py\", line 1, in run\nFile \"/app/tests/test_db.py\", line 5, in t"}, "web/tests/test_db.py", 5},
		{"Go", junit.Case{Class: "example.com/x", Output: "    x_test.go:12: got 1"}, "web/x_test.go", 12},
		{"PHP", junit.Case{File: "/app/tests/AppTest.php", Line: 20, Output: "/app/tests/AppTest.php:25"}, "web/tests/AppTest.php", 25},
		{"Ruby", junit.Case{Output: "# ./spec/a_spec.rb:4:in `block'"}, "web/spec/a_spec.rb", 4},
		{"nowhere", junit.Case{Class: "Suite", Output: "at http://localhost:3000/x.js:1:1"}, "", 0},
	} {
		file, line := c.test.Place(paths, func(name string) bool { return files[name] })
		if file != c.file || line != c.line {
			t.Errorf("%s: got %s:%d, want %s:%d", c.name, file, line, c.file, c.line)
		}
	}
}
