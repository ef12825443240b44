package arena

// Arena is a chunked bump allocator.
type Arena struct{}
