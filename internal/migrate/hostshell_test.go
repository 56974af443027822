package migrate

import (
	"testing"

	"github.com/guk0/travois/internal/travis"
)

// Lines on the runner, in the words that it knows.
func TestModern(t *testing.T) {
	for _, c := range []struct{ phase, text, want string }{
		{"script", "docker-compose up -d && docker-compose -f x ps", "docker compose up -d && docker compose -f x ps"},
		{"script", "echo docker-compose; cat docker-compose.yml", "echo docker-compose; cat docker-compose.yml"},
		{"script", "travis_wait 30 make slow", "make slow"},
		{"script", "travis_wait docker-compose build", "docker compose build"},
		{"script", "[ $A = b ] && make", "[ $A = b ] && make"},
		{"after_success", "[ $A = b ] && make", "if [ $A = b ] ; then make; fi"},
		{"after_success", "[ $A = b ] && test c && make && docker-compose push;", "if [ $A = b ] && test c ; then make && docker compose push; fi"},
		{"after_success", "[ $A = b ] && make # why\n", "if [ $A = b ] ; then make # why\nfi"},
		{"after_success", "make && [ -f x ]", "make && [ -f x ]"},
		{"script", "make || return 0; f || return 1", "make || true; f || false"},
		{"script", "f() { make || return 0; }", "f() { make || return 0; }"},
		{"after_success", "make || travis_terminate 1", "make || exit 1"},
	} {
		l := parseLine(c.phase, travis.Text{Value: c.text})
		if got, _, _ := modern(l); got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.phase, c.text, got, c.want)
		}
		if got, _, _ := modern(l); parseLine(c.phase, travis.Text{Value: got}).file == nil {
			t.Errorf("%s became what is no shell: %s", c.text, got)
		}
	}
}
