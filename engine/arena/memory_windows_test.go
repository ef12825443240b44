//go:build !purego

package arena

// What can be reserved was free. To free it and see would end the memory of whoever has the address by now.
func init() {
	held = func(raw []byte) bool {
		addr, _, _ := virtualAlloc.Call(address(raw), uintptr(len(raw)), memReserve, pageReadWrite)
		if addr != 0 {
			virtualFree.Call(addr, 0, memRelease)
		}
		return addr == 0
	}
}
