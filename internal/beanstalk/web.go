package beanstalk

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// webClient fetches what AWS answers with an address: the SDK's own HTTP
// client where the configuration brings one.
func webClient(cfg aws.Config) aws.HTTPClient {
	if cfg.HTTPClient != nil {
		return cfg.HTTPClient
	}
	return http.DefaultClient
}

// fetch reads the end of a text at an address, at most the given bytes of it.
// The address is signed, so no error may show it.
func (c *Client) fetch(ctx context.Context, address string, most int) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("fetch the logs: the answer is no address")
	}
	response, err := c.web.Do(request)
	if err != nil {
		return "", fmt.Errorf("fetch the logs: %w", withoutAddress(err))
	}
	text, err := readEnd(response.Body, most)
	if err := response.Body.Close(); err != nil {
		return "", fmt.Errorf("fetch the logs: %w", err)
	}
	if err != nil {
		return "", fmt.Errorf("fetch the logs: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("fetch the logs: HTTP status %d", response.StatusCode)
	}
	return text, nil
}

// readEnd reads all and keeps the end, since that is where a log tells why.
func readEnd(r io.Reader, most int) (string, error) {
	var kept []byte
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		kept = append(kept, buffer[:n]...)
		if extra := len(kept) - most; extra > 0 {
			kept = append(kept[:0], kept[extra:]...)
		}
		if err == io.EOF {
			return string(kept), nil
		}
		if err != nil {
			return "", err
		}
	}
}
