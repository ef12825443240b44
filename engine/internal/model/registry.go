package model

import "github.com/ksdispatch/ksdispatch/engine/ks"

// RegistryValue is one named value of a key; its name does not matter (P-71).
type RegistryValue struct {
	Binary bool
	Data   []byte
}

// UnserializeFromRegistry is KsUnserializeObjectPropertiesFromRegistry (P-70..P-73). parent and path say whether the caller
// gave them, open reads the values of the key they name, and send makes an UNSERIALIZESET request for a set.
func UnserializeFromRegistry(parent, path bool, open func() ([]RegistryValue, ks.Status),
	send func(set ks.GUID, blob []byte) ks.Status) ks.Status {
	if !parent && !path { // P-70
		return ks.StatusInvalidParameter
	}
	values, status := open()
	if !status.IsSuccess() {
		return status
	}
	for _, v := range values {
		if !v.Binary || len(v.Data) < 20 { // P-72
			return ks.StatusInvalidParameter
		}
		if status := send(ks.GUID(v.Data[:16]), v.Data); !status.IsSuccess() { // P-73
			return status
		}
	}
	return ks.StatusSuccess
}
