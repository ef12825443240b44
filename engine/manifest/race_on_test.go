//go:build race

package manifest

// raceEnabled is true when allocation counts mean nothing, because the race detector allocates.
const raceEnabled = true
