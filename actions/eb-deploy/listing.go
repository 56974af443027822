package ebdeploy

import (
	"fmt"
	"strings"

	"github.com/guk0/travois/internal/bundle"
)

// maxListed is how many files are listed one by one; more are summed up by the
// folders at the root.
const maxListed = 100

// listed are lines that tell what is in a bundle.
func listed(files []bundle.File) []string {
	var lines []string
	if len(files) <= maxListed {
		for _, f := range files {
			lines = append(lines, fmt.Sprintf("%s %8d  %s", f.Mode, f.Size, f.Path))
		}
		return lines
	}
	for len(files) > 0 {
		first := files[0]
		top, _, below := strings.Cut(first.Path, "/")
		if !below {
			lines = append(lines, fmt.Sprintf("%11s %12d  %s", first.Mode, first.Size, first.Path))
			files = files[1:]
			continue
		}
		count, size := 0, int64(0)
		for count < len(files) && strings.HasPrefix(files[count].Path, top+"/") {
			size += files[count].Size
			count++
		}
		lines = append(lines, fmt.Sprintf("%5d files %12d  %s/", count, size, top))
		files = files[count:]
	}
	return lines
}
