// Package finding is what a judge says: the closed list of rules (each with
// the clause it stands on, what it may follow from, and its cure), a finding
// with its evidence, and the report that puts consequences under their root.
//
// It knows neither HTTP nor manifests, and holds no clock. A [Log] may be
// added to from several goroutines; it has one lock, never held while calling
// out. Everything else has none.
package finding
