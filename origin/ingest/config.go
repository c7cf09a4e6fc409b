package ingest

import (
	"strings"

	"manifold/internal/problem"
	"manifold/origin/store"
)

// Config says what is served and who may write.
type Config struct {
	// Directory is the folder that holds the content; made where it is not
	// there. Empty keeps everything in memory.
	Directory string
	// Memory lists path prefixes ("live") whose objects are kept in memory,
	// not in Directory: the live window. Empty: none, unless Directory is empty.
	Memory []string
	// MemoryLimit bounds what is kept in memory, in bytes; what would go
	// beyond it is refused with 507. 0 means 256 MiB.
	MemoryLimit int64
	// MaxObject bounds one object that is written, in bytes. 0 means 64 MiB.
	MaxObject int64
	// LoopbackWrites lets every program on this machine write. It must stay
	// false behind a reverse proxy on the same machine, which makes every
	// client look local. Requests that a web page may have caused are refused.
	LoopbackWrites bool
	// WriteTokens are secrets one of which a writer sends as
	// "Authorization: Bearer …", each at least 16 characters. Several allow
	// rotation. Empty: no writes by token.
	WriteTokens []string
	// TimeName is the last path element that answers with the time of day in
	// UTC (the xs:dateTime of DASH UTCTiming). Empty means "time".
	TimeName string
}

const (
	defaultMemoryLimit = 256 << 20
	defaultMaxObject   = 64 << 20
	defaultTimeName    = "time"
	minToken           = 16
)

// Validate lists what is wrong with c.
func (c *Config) Validate() problem.List {
	var l problem.List
	for i, prefix := range c.Memory {
		if err := store.CheckName(strings.TrimSuffix(prefix, "/")); err != nil {
			l.AddHint(problem.At("memory", i), `a relative path such as "live"`, "%v", err)
		}
	}
	if c.MemoryLimit < 0 {
		l.Add("memory_limit", "%d bytes is negative", c.MemoryLimit)
	}
	if c.MaxObject < 0 {
		l.Add("max_object", "%d bytes is negative", c.MaxObject)
	}
	for i, token := range c.WriteTokens {
		if len(token) < minToken {
			l.AddHint(problem.At("write_tokens", i), "openssl rand -hex 16 makes one", "%d characters, must be at least %d", len(token), minToken)
		}
	}
	if c.TimeName != "" {
		if err := store.CheckName(c.TimeName); err != nil || strings.Contains(c.TimeName, "/") {
			l.Add("time_name", "%q is not one path element", c.TimeName)
		}
	}
	return l
}

// WithDefaults gives the configuration in force: what each zero value means is in
// its place.
func (c Config) WithDefaults() Config {
	if c.MemoryLimit == 0 {
		c.MemoryLimit = defaultMemoryLimit
	}
	if c.MaxObject == 0 {
		c.MaxObject = defaultMaxObject
	}
	if c.TimeName == "" {
		c.TimeName = defaultTimeName
	}
	return c
}
