package test

import (
	"strings"
	"testing"

	"github.com/guk0/travois/internal/engine"
)

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		exit  engine.Exit
		limit int64
		want  string
	}{
		{engine.Exit{Code: 1}, 0, "exit code 1"},
		{engine.Exit{Code: 125}, 0, "exit code 125 (the code of docker run"},
		{engine.Exit{Code: 126}, 0, "exit code 126 (a command was found and could not be executed"},
		{engine.Exit{Code: 127}, 0, "exit code 127 (a command was not found"},
		{engine.Exit{Code: 137}, 128 << 20, "exit code 137 (killed by SIGKILL: by itself or, though the engine does not say so, for want of memory"},
		{engine.Exit{Code: 137, OOMKilled: true}, 128 << 20, "exit code 137 (killed for want of memory: its limit is 128MiB (mem_limit)"},
		{engine.Exit{Code: 137, OOMKilled: true}, 0, "exit code 137 (killed for want of memory on the machine"},
		{engine.Exit{Code: 1, OOMKilled: true}, 1 << 30, "exit code 1 (a process in it was killed for want of memory: its limit is 1GiB"},
		{engine.Exit{Code: 143}, 0, "exit code 143 (ended by SIGTERM"},
	} {
		if got := explain(c.exit, c.limit); !strings.HasPrefix(got, c.want) {
			t.Errorf("%+v, limit %d: got %q, want %q…", c.exit, c.limit, got, c.want)
		}
	}
}
