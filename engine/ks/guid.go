package ks

// GUID is a Windows GUID in wire order: Data1, Data2 and Data3 little-endian, Data4 as it stands.
type GUID [16]byte
