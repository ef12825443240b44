//go:build purego || invariants || race

package engine

// split is documented in unsafe.go.
func split(buffer []byte, outLen, at, inLen uint) (data, request []byte) {
	return buffer[:outLen:outLen], buffer[at : at+inLen : at+inLen]
}
