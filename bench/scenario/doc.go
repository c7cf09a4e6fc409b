// Package scenario is what a load run is to do, as it is written in a file of
// YAML: who comes when, with which players and networks, over which
// connections, how long they stay, and what must hold. Everything that is wrong
// with a file is told at once, each with its line, column and a caret.
//
// It runs nothing. Aliases, tags and merges are refused: a scenario is short,
// and read by people. No locks.
package scenario
