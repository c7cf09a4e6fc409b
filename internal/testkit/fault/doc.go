// Package fault is an origin that is right until it is told not to be: a live
// stream of pure arithmetic (two pathways that each want their token, two
// pictures and one sound, an advertisement in every twenty seconds, HLS with
// and without low latency, DASH, steering, real CMAF bytes), and a switch for
// each thing that goes wrong with streams.
//
// It knows time only by the clock it is given, and waits with timers. A
// [Stream] has one lock, around the switches.
package fault
