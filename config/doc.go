// Package config reads manifold.yml: strict YAML in, every package's own
// Config out. It is the only package that knows all of them, and only the
// wiring in cmd/manifold knows it.
//
// A file is taken whole or not at all. All problems are told at once, each
// with file, line, column, the line itself and what to do. No locks.
package config
