// Package file reads files that a configuration names: whole, regular ones,
// and no more than is expected of them. A device has no end and a pipe makes
// its reader wait for ever; neither may hold a reload. It knows nothing of
// what is in them, and holds no state.
package file
