package engine

import (
	"errors"
	"fmt"
	"strings"

	docker "github.com/docker/docker/client"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"
)

// lostError is an engine or a builder that answered and does not any more.
type lostError struct {
	// builder is what messages call it.
	builder string
	err     error
}

func (e *lostError) Error() string {
	text, _, _ := strings.Cut(e.err.Error(), "\n")
	if i := strings.LastIndex(text, grpcText); i >= 0 {
		text = text[i+len(grpcText):]
	}
	text = strings.Trim(strings.TrimPrefix(text, codes.Unavailable.String()+": "), `"`)
	return fmt.Sprintf("%s went away (%s): see whether it was stopped, or ran out of memory or disk, and run the job again", e.builder, text)
}

// grpcText comes before what a layer of gRPC has to say.
const grpcText = "desc = "

func (e *lostError) Unwrap() error { return e.err }

// Lost tells an engine or a builder that answered and does not any more.
func Lost(err error) bool {
	var lost *lostError
	return errors.As(err, &lost)
}

// lostOr gives an error that tells of a lost builder words for that.
func (b *Builder) lostOr(err error) error {
	if err == nil || Lost(err) || !docker.IsErrConnectionFailed(err) && grpcerrors.Code(err) != codes.Unavailable {
		return err
	}
	return &lostError{b.Name, err}
}
