// Package geo finds in which country and network an address is, by MMDB files
// that users bring: GeoLite2, GeoIP2, DB-IP, ip-location-db, IPinfo.
//
// It reads the nested schema (country.iso_code) and the flat one
// (country_code). A file is read whole and checked before it is used, and
// replaced at once: a bad one changes nothing. It decides nothing about
// viewers. A look-up takes no lock: the present databases are one atomic
// pointer, and decoded records are remembered in a table of atomic pointers.
package geo
