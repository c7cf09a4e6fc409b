// Package layers holds no code, only the tests that keep the house in order:
// which package may import which (the table in layers_test.go is the design's),
// what every package and file owes its reader, and that every link in the
// documentation leads somewhere.
//
// `make check` runs them. A package that stands on no layer fails: put it in
// the table, and say in its doc.go what it knows and what it does not.
package layers
