// Package report writes a load run as one HTML page that needs nothing else: the
// plots are SVG made here, light and dark follow the reader's system, every plot
// has its numbers as a table beside it, and nothing is loaded from anywhere.
//
// It knows what a result is and how it is drawn. No locks.
package report
