package eblocal

import (
	"io"
	"log"
	"testing"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

func requestID(t *testing.T, m middleware.Metadata) string {
	t.Helper()
	id, ok := awsmiddleware.GetRequestIDMetadata(m)
	if !ok {
		t.Fatal("the answer has no RequestId")
	}
	return id
}
