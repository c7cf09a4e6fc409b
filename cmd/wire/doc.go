// Package wire puts a running edge together from its configuration: the one
// place, beside the subcommands, that knows all packages.
//
// It holds no logic of its own and no locks; what it starts, it stops.
package wire
