package eblocal

import (
	"encoding/base64"
	"strconv"
	"strings"
)

const maxPage = 1000

// pageSize reads MaxRecords, which was checked by then.
func (c *call) pageSize() int {
	if n, err := strconv.Atoi(c.str("MaxRecords")); err == nil {
		return n
	}
	return maxPage
}

// before returns the sequence number below which the asked page starts, 0 for
// the first page. Numbers and not offsets, so that what arrives between two
// pages does not shift the second one.
func (c *call) before() (int64, error) {
	token := c.str("NextToken")
	if token == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	number, ok := strings.CutPrefix(string(raw), "before:")
	seq, numErr := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok || numErr != nil || seq < 1 {
		return 0, invalidValue("Invalid NextToken: %s", token)
	}
	return seq, nil
}

func nextToken(seq int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("before:" + strconv.FormatInt(seq, 10)))
}

// page cuts items, which are sorted with the newest first, to what was asked
// for, and to at most so many, if that is not 0.
func page[T any](c *call, most int, items []T, seq func(T) int64) ([]T, string, error) {
	size := c.pageSize()
	if most > 0 {
		size = min(size, most)
	}
	before, err := c.before()
	if err != nil {
		return nil, "", err
	}
	var out []T
	for _, item := range items {
		if before > 0 && seq(item) >= before {
			continue
		}
		if len(out) == size {
			return out, nextToken(seq(out[size-1])), nil
		}
		out = append(out, item)
	}
	return out, "", nil
}
