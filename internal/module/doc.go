// Package module checks what no single package can: that the tree, as it stands, is a Go module that others can fetch and
// build against. It has tests only.
package module
