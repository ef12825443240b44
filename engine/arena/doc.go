// Package arena is a chunked bump allocator for byte buffers that live as long as a request.
package arena
