// Package measure is what the comparative benchmarks share: the processor's
// time, the machine's name, and figures as people read them. It does not know
// what is measured. It has no locks.
package measure
