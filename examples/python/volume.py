"""The volume control of examples/c in Python, with nothing to build: python3 volume.py libksdispatch.so.1 -6 -12.5 3"""
import ctypes
import struct
import sys

SUCCESS, INVALID_PARAMETER = 0, struct.unpack("<i", struct.pack("<I", 0xC000000D))[0]
IOCTL_PROPERTY, GET, SET = 0x002F0003, 1, 2


class Call(ctypes.Structure):
    """ksd_call"""
    _fields_ = [("size", ctypes.c_uint32), ("verb", ctypes.c_uint32), ("context", ctypes.c_void_p), ("file", ctypes.c_void_p),
                ("handle", ctypes.c_uint64), ("request", ctypes.c_void_p), ("data", ctypes.c_void_p),
                ("request_len", ctypes.c_uint32), ("data_len", ctypes.c_uint32), ("information", ctypes.c_uint64),
                ("token", ctypes.c_uint64)]


Handler = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(Call))


class Item(ctypes.Structure):
    """ksd_item"""
    _fields_ = [("size", ctypes.c_uint32), ("id", ctypes.c_uint32), ("min_property", ctypes.c_uint32), ("min_data", ctypes.c_uint32),
                ("get", Handler), ("set", Handler), ("support", Handler), ("context", ctypes.c_void_p),
                ("kind", ctypes.c_uint32), ("flags", ctypes.c_uint32)]


class Set(ctypes.Structure):
    """ksd_set"""
    _fields_ = [("guid", ctypes.c_uint8 * 16), ("items", ctypes.POINTER(Item)), ("count", ctypes.c_uint32),
                ("item_size", ctypes.c_uint32)]


def load(path):
    """Return the library, with the types of the functions that are used here."""
    lib = ctypes.CDLL(path)
    lib.ksd_status_name.restype = ctypes.c_char_p
    lib.ksd_object_new.restype = ctypes.c_uint64
    lib.ksd_object_new.argtypes = [ctypes.POINTER(Set), ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t]
    lib.ksd_object_free.argtypes = [ctypes.c_uint64]
    lib.ksd_open.restype = ctypes.c_uint64
    lib.ksd_open.argtypes = [ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint32]
    lib.ksd_close.argtypes = [ctypes.c_uint64]
    lib.ksd_ioctl.argtypes = [ctypes.c_uint64, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32,
                              ctypes.POINTER(ctypes.c_uint32)]
    return lib


class Volume:
    """The driver: KSPROPERTY_AUDIO_VOLUMELEVEL, in units of 1/65536 dB."""

    def __init__(self):
        self.level = 0

    def get(self, call):
        ctypes.memmove(call[0].data, struct.pack("<i", self.level), 4)
        call[0].information = 4
        return SUCCESS

    def set(self, call):
        level, = struct.unpack("<i", ctypes.string_at(call[0].data, 4))
        if not -96 * 65536 <= level <= 0:
            return INVALID_PARAMETER
        self.level = level
        return SUCCESS


def main():
    lib = load(sys.argv[1])
    volume = Volume()
    audio = struct.pack("<IHH8s", 0x45FFAAA0, 0x6E1B, 0x11D0, bytes.fromhex("bcf2444553540000"))  # KSPROPSETID_Audio
    items = (Item * 1)(Item(size=ctypes.sizeof(Item), id=4, min_data=4, get=Handler(volume.get), set=Handler(volume.set)))
    sets = Set(guid=(ctypes.c_uint8 * 16)(*audio), items=items, count=1, item_size=ctypes.sizeof(Item))
    err = ctypes.create_string_buffer(256)
    control = lib.ksd_object_new(sets, 1, err, len(err))
    if not control:
        sys.exit(err.value.decode())
    handle = lib.ksd_open(control, None, 0)

    value = ctypes.c_int32()
    for text in sys.argv[2:]:
        value.value = int(float(text) * 65536)
        status = lib.ksd_ioctl(handle, IOCTL_PROPERTY, audio + struct.pack("<II", 4, SET), 24, ctypes.byref(value), 4, None)
        lib.ksd_ioctl(handle, IOCTL_PROPERTY, audio + struct.pack("<II", 4, GET), 24, ctypes.byref(value), 4, None)
        print(f"{text} dB: {lib.ksd_status_name(status).decode()}; the level is {value.value / 65536:.2f} dB")

    lib.ksd_close(handle)
    lib.ksd_object_free(control)  # items must be there until then


main()
