// Package sample writes manifests of any size as packagers do, for benchmarks
// and tests that need a typical one rather than an odd one. It has no locks.
package sample
