// Command libksdispatch is the C library: it is built with -buildmode=c-shared or c-archive, and its interface is ksdispatch.h.
//
//	make -C cmd/libksdispatch install PREFIX=/usr/local
//
// Each file has the functions of one part of the header. What they do is that of the packages device, engine and manifest; here
// are numbers for objects that C holds, and calls of C's functions. docs/c-api.md is for who uses it.
package main

func main() {}
