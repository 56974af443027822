package buildpush

import (
	"testing"

	"github.com/guk0/travois/internal/actiontest"
)

func TestContract(t *testing.T) {
	actiontest.Contract(t, &config{}, result{}.outputs(), "/build-push")
}
