package exec

import "unsafe"

// offset returns where part begins in buffer, in bytes: what an outcome says of request and data. Two slices of one array
// do not tell each other their distance, so the addresses are compared as numbers; nothing is read through them. The tests
// hold it against slices with known offsets.
func offset(buffer, part []byte) int64 {
	return int64(int(uintptr(unsafe.Pointer(unsafe.SliceData(part))) - uintptr(unsafe.Pointer(unsafe.SliceData(buffer)))))
}
