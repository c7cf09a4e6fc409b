// Package explain records why each thing was decided for one viewer: a trace
// that the serving code itself writes, stage by stage, when somebody asks.
//
// It knows the stages, the closed list of reasons (from which docs/explain.md
// is generated), and how to show a trace as text, as JSON, and two side by
// side. It decides nothing. A nil *Trace is one that is off: every method may
// be called on it and does nothing, without an allocation. A Trace belongs to
// one request; it has no locks.
package explain

//go:generate go test -run TestDocsAreCurrent -update
