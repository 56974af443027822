package buildpush

import "testing"

func TestWithoutLogin(t *testing.T) {
	for address, want := range map[string]string{
		"https://x-access-token:hidden@github.com/guk0/app.git#main:web": "https://github.com/guk0/app.git#main:web",
		"https://hidden@github.com/guk0/app.git":                         "https://github.com/guk0/app.git",
		"https://github.com/guk0/app.git#main":                           "https://github.com/guk0/app.git#main",
		"git@github.com:guk0/app.git":                                    "git@github.com:guk0/app.git",
		"github.com/guk0/app":                                            "github.com/guk0/app",
	} {
		if got := withoutLogin(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
