package caller

// Control has a bounds check.
func Control(s []int, i int) int { return s[i] }
