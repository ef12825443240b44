//go:build invariants || race

package table

const slow = true
