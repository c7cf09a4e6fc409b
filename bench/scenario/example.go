package scenario

import _ "embed"

// Example is a scenario with a comment on every key.
//
//go:embed example.yml
var Example string
