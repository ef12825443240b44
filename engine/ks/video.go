package ks

import "encoding/binary"

// DataRangeVideo is KS_DATARANGE_VIDEO: the pictures that a pin can stream, 296 bytes. Documented at
// ns-ksmedia-tagks_datarange_video.
type DataRangeVideo struct {
	DataRange                                    // offset 0
	FixedSizeSamples       uint32                // offset 64, bFixedSizeSamples: a BOOL
	TemporalCompression    uint32                // offset 68, bTemporalCompression: a BOOL
	StreamDescriptionFlags uint32                // offset 72: KS_VIDEOSTREAM bits
	MemoryAllocationFlags  uint32                // offset 76: KS_VIDEO_ALLOC bits
	ConfigCaps             VideoStreamConfigCaps // offset 80
	VideoInfoHeader        VideoInfoHeader       // offset 208: the default format
}

// SizeDataRangeVideo is sizeof(KS_DATARANGE_VIDEO) in bytes.
const SizeDataRangeVideo = 296

// DecodeDataRangeVideo reads a KS_DATARANGE_VIDEO from the first 296 bytes of b; false if b is shorter.
func DecodeDataRangeVideo(b []byte) (x DataRangeVideo, ok bool) {
	if len(b) < SizeDataRangeVideo {
		return x, false
	}
	x.DataRange, _ = DecodeDataFormat(b)
	x.FixedSizeSamples = binary.LittleEndian.Uint32(b[64:])
	x.TemporalCompression = binary.LittleEndian.Uint32(b[68:])
	x.StreamDescriptionFlags = binary.LittleEndian.Uint32(b[72:])
	x.MemoryAllocationFlags = binary.LittleEndian.Uint32(b[76:])
	x.ConfigCaps, _ = DecodeVideoStreamConfigCaps(b[80:])
	x.VideoInfoHeader, _ = DecodeVideoInfoHeader(b[208:])
	return x, true
}

// Put writes the 296 bytes of x; it panics if b is shorter.
func (x DataRangeVideo) Put(b []byte) {
	_ = b[SizeDataRangeVideo-1]
	x.DataRange.Put(b)
	binary.LittleEndian.PutUint32(b[64:], x.FixedSizeSamples)
	binary.LittleEndian.PutUint32(b[68:], x.TemporalCompression)
	binary.LittleEndian.PutUint32(b[72:], x.StreamDescriptionFlags)
	binary.LittleEndian.PutUint32(b[76:], x.MemoryAllocationFlags)
	x.ConfigCaps.Put(b[80:])
	x.VideoInfoHeader.Put(b[208:])
}

// Bytes returns the 296 bytes of x.
func (x DataRangeVideo) Bytes() []byte { return bytesOf(x, SizeDataRangeVideo) }

// VideoStreamConfigCaps is KS_VIDEO_STREAM_CONFIG_CAPS: how far a format can be varied, 128 bytes. Documented at
// ns-ksmedia-_ks_video_stream_config_caps.
type VideoStreamConfigCaps struct {
	GUID               GUID   // offset 0, guid: a specifier
	VideoStandard      uint32 // offset 16: KS_AnalogVideo bits
	InputSize          Extent // offset 20
	MinCroppingSize    Extent // offset 28
	MaxCroppingSize    Extent // offset 36
	CropGranularityX   int32  // offset 44
	CropGranularityY   int32  // offset 48
	CropAlignX         int32  // offset 52
	CropAlignY         int32  // offset 56
	MinOutputSize      Extent // offset 60
	MaxOutputSize      Extent // offset 68
	OutputGranularityX int32  // offset 76
	OutputGranularityY int32  // offset 80
	StretchTapsX       int32  // offset 84
	StretchTapsY       int32  // offset 88
	ShrinkTapsX        int32  // offset 92
	ShrinkTapsY        int32  // offset 96; 4 bytes of padding follow
	MinFrameInterval   int64  // offset 104: units of 100 ns, as is MaxFrameInterval
	MaxFrameInterval   int64  // offset 112
	MinBitsPerSecond   int32  // offset 120
	MaxBitsPerSecond   int32  // offset 124
}

// SizeVideoStreamConfigCaps is sizeof(KS_VIDEO_STREAM_CONFIG_CAPS) in bytes.
const SizeVideoStreamConfigCaps = 128

// DecodeVideoStreamConfigCaps reads a KS_VIDEO_STREAM_CONFIG_CAPS from the first 128 bytes of b; false if b is shorter.
func DecodeVideoStreamConfigCaps(b []byte) (x VideoStreamConfigCaps, ok bool) {
	if len(b) < SizeVideoStreamConfigCaps {
		return x, false
	}
	x.GUID = GUID(b)
	x.VideoStandard = binary.LittleEndian.Uint32(b[16:])
	x.InputSize = decodeExtent(b[20:])
	x.MinCroppingSize = decodeExtent(b[28:])
	x.MaxCroppingSize = decodeExtent(b[36:])
	x.CropGranularityX = int32(binary.LittleEndian.Uint32(b[44:]))
	x.CropGranularityY = int32(binary.LittleEndian.Uint32(b[48:]))
	x.CropAlignX = int32(binary.LittleEndian.Uint32(b[52:]))
	x.CropAlignY = int32(binary.LittleEndian.Uint32(b[56:]))
	x.MinOutputSize = decodeExtent(b[60:])
	x.MaxOutputSize = decodeExtent(b[68:])
	x.OutputGranularityX = int32(binary.LittleEndian.Uint32(b[76:]))
	x.OutputGranularityY = int32(binary.LittleEndian.Uint32(b[80:]))
	x.StretchTapsX = int32(binary.LittleEndian.Uint32(b[84:]))
	x.StretchTapsY = int32(binary.LittleEndian.Uint32(b[88:]))
	x.ShrinkTapsX = int32(binary.LittleEndian.Uint32(b[92:]))
	x.ShrinkTapsY = int32(binary.LittleEndian.Uint32(b[96:]))
	x.MinFrameInterval = int64(binary.LittleEndian.Uint64(b[104:]))
	x.MaxFrameInterval = int64(binary.LittleEndian.Uint64(b[112:]))
	x.MinBitsPerSecond = int32(binary.LittleEndian.Uint32(b[120:]))
	x.MaxBitsPerSecond = int32(binary.LittleEndian.Uint32(b[124:]))
	return x, true
}

// Put writes the 128 bytes of x; it panics if b is shorter.
func (x VideoStreamConfigCaps) Put(b []byte) {
	_ = b[SizeVideoStreamConfigCaps-1]
	copy(b, x.GUID[:])
	binary.LittleEndian.PutUint32(b[16:], x.VideoStandard)
	x.InputSize.put(b[20:])
	x.MinCroppingSize.put(b[28:])
	x.MaxCroppingSize.put(b[36:])
	binary.LittleEndian.PutUint32(b[44:], uint32(x.CropGranularityX))
	binary.LittleEndian.PutUint32(b[48:], uint32(x.CropGranularityY))
	binary.LittleEndian.PutUint32(b[52:], uint32(x.CropAlignX))
	binary.LittleEndian.PutUint32(b[56:], uint32(x.CropAlignY))
	x.MinOutputSize.put(b[60:])
	x.MaxOutputSize.put(b[68:])
	binary.LittleEndian.PutUint32(b[76:], uint32(x.OutputGranularityX))
	binary.LittleEndian.PutUint32(b[80:], uint32(x.OutputGranularityY))
	binary.LittleEndian.PutUint32(b[84:], uint32(x.StretchTapsX))
	binary.LittleEndian.PutUint32(b[88:], uint32(x.StretchTapsY))
	binary.LittleEndian.PutUint32(b[92:], uint32(x.ShrinkTapsX))
	binary.LittleEndian.PutUint32(b[96:], uint32(x.ShrinkTapsY))
	clear(b[100:104])
	binary.LittleEndian.PutUint64(b[104:], uint64(x.MinFrameInterval))
	binary.LittleEndian.PutUint64(b[112:], uint64(x.MaxFrameInterval))
	binary.LittleEndian.PutUint32(b[120:], uint32(x.MinBitsPerSecond))
	binary.LittleEndian.PutUint32(b[124:], uint32(x.MaxBitsPerSecond))
}

// Bytes returns the 128 bytes of x.
func (x VideoStreamConfigCaps) Bytes() []byte { return bytesOf(x, SizeVideoStreamConfigCaps) }

// VideoInfoHeader is KS_VIDEOINFOHEADER: one format of pictures, 88 bytes. Documented at ns-ksmedia-tagks_videoinfoheader.
type VideoInfoHeader struct {
	Source          Rect             // offset 0, rcSource
	Target          Rect             // offset 16, rcTarget
	BitRate         uint32           // offset 32, dwBitRate
	BitErrorRate    uint32           // offset 36, dwBitErrorRate
	AvgTimePerFrame int64            // offset 40: units of 100 ns
	Bitmap          BitmapInfoHeader // offset 48, bmiHeader
}

// SizeVideoInfoHeader is sizeof(KS_VIDEOINFOHEADER) in bytes.
const SizeVideoInfoHeader = 88

// DecodeVideoInfoHeader reads a KS_VIDEOINFOHEADER from the first 88 bytes of b; false if b is shorter.
func DecodeVideoInfoHeader(b []byte) (x VideoInfoHeader, ok bool) {
	if len(b) < SizeVideoInfoHeader {
		return x, false
	}
	x.Source = decodeRect(b)
	x.Target = decodeRect(b[16:])
	x.BitRate = binary.LittleEndian.Uint32(b[32:])
	x.BitErrorRate = binary.LittleEndian.Uint32(b[36:])
	x.AvgTimePerFrame = int64(binary.LittleEndian.Uint64(b[40:]))
	x.Bitmap, _ = DecodeBitmapInfoHeader(b[48:])
	return x, true
}

// Put writes the 88 bytes of x; it panics if b is shorter.
func (x VideoInfoHeader) Put(b []byte) {
	_ = b[SizeVideoInfoHeader-1]
	x.Source.put(b)
	x.Target.put(b[16:])
	binary.LittleEndian.PutUint32(b[32:], x.BitRate)
	binary.LittleEndian.PutUint32(b[36:], x.BitErrorRate)
	binary.LittleEndian.PutUint64(b[40:], uint64(x.AvgTimePerFrame))
	x.Bitmap.Put(b[48:])
}

// Bytes returns the 88 bytes of x.
func (x VideoInfoHeader) Bytes() []byte { return bytesOf(x, SizeVideoInfoHeader) }

// BitmapInfoHeader is KS_BITMAPINFOHEADER: how one picture lies in memory, 40 bytes. Documented at
// ns-ksmedia-tagks_bitmapinfoheader.
type BitmapInfoHeader struct {
	Size          uint32 // offset 0, biSize: bytes of this header
	Width         int32  // offset 4, biWidth: pixels
	Height        int32  // offset 8, biHeight: pixels; negative from top to bottom
	Planes        uint16 // offset 12, biPlanes
	BitCount      uint16 // offset 14, biBitCount: of a pixel
	Compression   uint32 // offset 16, biCompression
	SizeImage     uint32 // offset 20, biSizeImage: bytes
	XPelsPerMeter int32  // offset 24, biXPelsPerMeter
	YPelsPerMeter int32  // offset 28, biYPelsPerMeter
	ClrUsed       uint32 // offset 32, biClrUsed
	ClrImportant  uint32 // offset 36, biClrImportant
}

// SizeBitmapInfoHeader is sizeof(KS_BITMAPINFOHEADER) in bytes.
const SizeBitmapInfoHeader = 40

// DecodeBitmapInfoHeader reads a KS_BITMAPINFOHEADER from the first 40 bytes of b; false if b is shorter.
func DecodeBitmapInfoHeader(b []byte) (x BitmapInfoHeader, ok bool) {
	if len(b) < SizeBitmapInfoHeader {
		return x, false
	}
	x.Size = binary.LittleEndian.Uint32(b)
	x.Width = int32(binary.LittleEndian.Uint32(b[4:]))
	x.Height = int32(binary.LittleEndian.Uint32(b[8:]))
	x.Planes = binary.LittleEndian.Uint16(b[12:])
	x.BitCount = binary.LittleEndian.Uint16(b[14:])
	x.Compression = binary.LittleEndian.Uint32(b[16:])
	x.SizeImage = binary.LittleEndian.Uint32(b[20:])
	x.XPelsPerMeter = int32(binary.LittleEndian.Uint32(b[24:]))
	x.YPelsPerMeter = int32(binary.LittleEndian.Uint32(b[28:]))
	x.ClrUsed = binary.LittleEndian.Uint32(b[32:])
	x.ClrImportant = binary.LittleEndian.Uint32(b[36:])
	return x, true
}

// Put writes the 40 bytes of x; it panics if b is shorter.
func (x BitmapInfoHeader) Put(b []byte) {
	_ = b[SizeBitmapInfoHeader-1]
	binary.LittleEndian.PutUint32(b, x.Size)
	binary.LittleEndian.PutUint32(b[4:], uint32(x.Width))
	binary.LittleEndian.PutUint32(b[8:], uint32(x.Height))
	binary.LittleEndian.PutUint16(b[12:], x.Planes)
	binary.LittleEndian.PutUint16(b[14:], x.BitCount)
	binary.LittleEndian.PutUint32(b[16:], x.Compression)
	binary.LittleEndian.PutUint32(b[20:], x.SizeImage)
	binary.LittleEndian.PutUint32(b[24:], uint32(x.XPelsPerMeter))
	binary.LittleEndian.PutUint32(b[28:], uint32(x.YPelsPerMeter))
	binary.LittleEndian.PutUint32(b[32:], x.ClrUsed)
	binary.LittleEndian.PutUint32(b[36:], x.ClrImportant)
}

// Bytes returns the 40 bytes of x.
func (x BitmapInfoHeader) Bytes() []byte { return bytesOf(x, SizeBitmapInfoHeader) }

// Extent is SIZE: width and height in pixels.
type Extent struct {
	CX int32 // offset 0, cx
	CY int32 // offset 4, cy
}

func decodeExtent(b []byte) (x Extent) {
	x.CX = int32(binary.LittleEndian.Uint32(b))
	x.CY = int32(binary.LittleEndian.Uint32(b[4:]))
	return x
}

func (x Extent) put(b []byte) {
	binary.LittleEndian.PutUint32(b, uint32(x.CX))
	binary.LittleEndian.PutUint32(b[4:], uint32(x.CY))
}

// Rect is RECT: a rectangle in pixels.
type Rect struct {
	Left   int32 // offset 0
	Top    int32 // offset 4
	Right  int32 // offset 8
	Bottom int32 // offset 12
}

func decodeRect(b []byte) (x Rect) {
	x.Left = int32(binary.LittleEndian.Uint32(b))
	x.Top = int32(binary.LittleEndian.Uint32(b[4:]))
	x.Right = int32(binary.LittleEndian.Uint32(b[8:]))
	x.Bottom = int32(binary.LittleEndian.Uint32(b[12:]))
	return x
}

func (x Rect) put(b []byte) {
	binary.LittleEndian.PutUint32(b, uint32(x.Left))
	binary.LittleEndian.PutUint32(b[4:], uint32(x.Top))
	binary.LittleEndian.PutUint32(b[8:], uint32(x.Right))
	binary.LittleEndian.PutUint32(b[12:], uint32(x.Bottom))
}
