package travis

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// secretKey names what must not be copied into another file.
var secretKey = regexp.MustCompile(`(?i)secure|token|passw|secret|api_?key|access_?key|private|credential|^rooms$|^slack$|^hipchat$|webhooks|^key$`)

// secretAssignment is a variable of a line of shell that gets what may be a
// secret.
var secretAssignment = regexp.MustCompile(`(?i)\b(\w*(?:pass|pwd|token|secret|api_?key|access_?key|credential)\w*=)(?:"[^"$]+"|'[^']+'|[^\s$"';&|]+)`)

// secretWord is a password of docker login, or of an address of the internet.
var secretWord = regexp.MustCompile(`(\bdocker\s+login\b[^\n|;&]*?\s(?:-p\s*=?|--password[ =]))(?:"[^"$]+"|'[^']+'|[^\s$"';&|]+)|(://[^/\s:@$'"]+:)[^/\s:@$'"]+(@[\w-]+\.)`)

// WithoutSecrets is a text with values left out that may be secrets.
func WithoutSecrets(text string) string {
	text = secretAssignment.ReplaceAllString(text, "$1…")
	return secretWord.ReplaceAllString(text, "$1$2…$3")
}

// Show is an entry as YAML, with values that may be secrets left out.
func (k *Key) Show() string {
	value := redacted(k.Node.Node, secretKey.MatchString(k.Name))
	mapping := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: k.Name}, value}}
	var b strings.Builder
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(mapping); err != nil {
		return k.Name + ": …\n"
	}
	return b.String()
}

// redacted copies a value without comments, anchors and secrets.
func redacted(n *yaml.Node, secret bool) *yaml.Node {
	n = yamlsource.Follow(n)
	switch n.Kind {
	case yaml.MappingNode:
		out := &yaml.Node{Kind: yaml.MappingNode, Style: n.Style}
		for _, pair := range yamlsource.Pairs(n) {
			key := yamlsource.Follow(pair.Key)
			out.Content = append(out.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: WithoutSecrets(key.Value)},
				redacted(pair.Value, secret || secretKey.MatchString(key.Value)))
		}
		return out
	case yaml.SequenceNode:
		out := &yaml.Node{Kind: yaml.SequenceNode, Style: n.Style}
		for _, item := range n.Content {
			out.Content = append(out.Content, redacted(item, secret))
		}
		return out
	}
	if secret && n.Value != "" && !boolean(n.Value) {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: "…"}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: n.Tag, Value: WithoutSecrets(n.Value), Style: n.Style &^ yaml.TaggedStyle}
}

func boolean(text string) bool { return text == "true" || text == "false" }
