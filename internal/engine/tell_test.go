package engine

import (
	"bytes"
	"strings"
	"testing"

	"github.com/docker/docker/pkg/jsonmessage"
)

// TestTell shows what of an engine's answer to a pull is worth a line.
func TestTell(t *testing.T) {
	const answer = `{"status":"Pulling from library/mysql","id":"8"}
{"status":"Pulling fs layer","progressDetail":{},"id":"aaa"}
{"status":"Downloading","progressDetail":{"current":1,"total":9},"progress":"[>  ]","id":"aaa"}
{"status":"Pull complete","progressDetail":{},"id":"aaa"}
{"status":"Already exists","progressDetail":{},"id":"bbb"}
{"status":"Digest: sha256:0123"}
{"status":"Status: Downloaded newer image for mysql:8"}
`
	var got bytes.Buffer
	writes := 0
	_, err := readProgress(strings.NewReader(answer), func(message jsonmessage.JSONMessage) {
		writes++
		tell(&got, message)
	})
	const want = "8: Pulling from library/mysql\naaa: Pull complete\nDigest: sha256:0123\nStatus: Downloaded newer image for mysql:8\n"
	if err != nil || got.String() != want || writes != 7 {
		t.Errorf("%v, %d messages, got\n%swant\n%s", err, writes, &got, want)
	}
}
