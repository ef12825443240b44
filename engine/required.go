package engine

// required refuses a function that is nil where it is given, as the request that would call it later could not say who forgot it.
func required(given bool, what string) {
	if !given {
		panic("engine: " + what + " is nil")
	}
}
