// Package tools pins the versions of the development tools. golangci-lint has
// a module of its own, lint, since it needs other versions of what actionlint
// is built from.
package tools

import _ "github.com/aws/aws-sdk-go/models/endpoints" // its module holds AWS's service models
