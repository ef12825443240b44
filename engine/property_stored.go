package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/ksdispatch/ksdispatch/engine/ks"
)

// StoredError says which stored value could not be applied, and with which status.
type StoredError struct {
	Name   string // of the value; empty if no value is to blame
	Status ks.Status
	Reason string
}

func (e *StoredError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("engine: stored properties: %s (%v)", e.Reason, e.Status)
	}
	return fmt.Sprintf("engine: stored value %q: %s (%v)", e.Name, e.Reason, e.Status)
}

// MaxStoredValue bounds a stored value in bytes (S-21).
const MaxStoredValue = 16 << 20

// UnserializeObjectProperties applies stored properties to an object: KsUnserializeObjectPropertiesFromRegistry with named values
// in place of a registry key (P-70 to P-73). Each value is one serialized set, whatever its name. send delivers an
// IOCTL_KS_PROPERTY request with the given input and output buffers to the object, as device.Handle.IoControl does. Values are
// applied in the order of their names. The first error, a *StoredError, ends the call; values applied before it stay (P-73).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksunserializeobjectpropertiesfromregistry
func UnserializeObjectProperties(values map[string][]byte, send func(in, out []byte) ks.Status) error {
	required(send != nil, "UnserializeObjectProperties: send")
	if values == nil {
		return &StoredError{Status: ks.StatusInvalidParameter, Reason: "neither a key nor a path is given (P-70)"}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := applyStored(name, values[name], send); err != nil {
			return err
		}
	}
	return nil
}

// UnserializeObjectPropertiesFS is UnserializeObjectProperties for the files of one folder of fsys, each a value. Folders
// in it are passed over (P-71). Errors of fsys are wrapped with the file's name.
func UnserializeObjectPropertiesFS(fsys fs.FS, path string, send func(in, out []byte) ks.Status) error {
	required(send != nil, "UnserializeObjectPropertiesFS: send")
	if fsys == nil {
		return &StoredError{Status: ks.StatusInvalidParameter, Reason: "neither a key nor a path is given (P-70)"}
	}
	entries, err := fs.ReadDir(fsys, path)
	if err != nil {
		return fmt.Errorf("engine: stored properties: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		name := e.Name()
		if path != "." {
			name = path + "/" + name
		}
		value, err := readStored(fsys, name)
		if err != nil {
			return fmt.Errorf("engine: stored value %q: %w", name, err)
		}
		if err := applyStored(name, value, send); err != nil {
			return err
		}
	}
	return nil
}

var errTooLong = errors.New("longer than MaxStoredValue")

// readStored reads a file without trusting the size that it states.
func readStored(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxStoredValue+1))
	if err == nil && len(b) > MaxStoredValue {
		err = errTooLong
	}
	return b, err
}

// applyStored sends one value as UNSERIALIZESET to the set that it names (P-72).
func applyStored(name string, value []byte, send func(in, out []byte) ks.Status) error {
	if len(value) > MaxStoredValue {
		return &StoredError{Name: name, Status: ks.StatusInvalidParameter, Reason: errTooLong.Error()}
	}
	hdr, ok := ks.DecodeSerialHdr(value)
	if !ok {
		return &StoredError{Name: name, Status: ks.StatusInvalidParameter,
			Reason: fmt.Sprintf("%d bytes are less than a KSPROPERTY_SERIALHDR, %d", len(value), ks.SizeSerialHdr)}
	}
	in := make([]byte, ks.SizeIdentifier)
	ks.Identifier{Set: hdr.PropertySet, Flags: ks.PropertyTypeUnserializeSet}.Put(in)
	if status := send(in, slices.Clone(value)); !status.IsSuccess() {
		return &StoredError{Name: name, Status: status, Reason: fmt.Sprintf("UNSERIALIZESET of set %v failed", hdr.PropertySet)}
	}
	return nil
}
