//go:build !(invariants || race)

package table

const slow = false // of the builds with checks, which skip what takes long or what they change
