package device

// Rounded is a duration in nanoseconds as a histogram has it.
func Rounded(ns uint64) uint64 { return longestOf(bucketOf(ns)) }
