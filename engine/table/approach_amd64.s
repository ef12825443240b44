//go:build !(purego || invariants || race)

#include "textflag.h"

// func approach(header *uint64, keys *Key, n int, found unsafe.Pointer, size uint64)
//
// One key a turn: seed.hash, shape.bucket, the pilot, shape.slot, as lookup_unsafe.go writes them out. It is in assembly
// for its PREFETCHT0 alone, which Go has no word for: a load that nobody waits for still has to be retired in its turn, and the
// hundred cycles that it takes would hold up the hashing of the keys behind it.
TEXT ·approach(SB), NOSPLIT, $0-40
	MOVQ header+0(FP), DI
	MOVQ keys+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ found+24(FP), R8
	MOVQ size+32(FP), R9
	MOVQ 0(DI), R10  // mixLo
	MOVQ 8(DI), R11  // mixHi
	MOVQ 16(DI), R12 // mixID
	MOVQ 24(DI), R13 // buckets

next:
	MOVL   16(SI), AX
	MOVQ   8(SI), BX
	MOVQ   0(SI), DX
	IMULQ  R12, AX
	XORQ   R11, BX
	XORQ   R10, DX
	XORQ   BX, AX
	MULQ   DX
	BSWAPQ DX
	XORQ   DX, AX        // the hash
	MOVQ   AX, BX
	SHRQ   $32, BX
	IMULQ  R13, BX
	SHRQ   $32, BX       // the bucket
	ADDQ   40(DI), BX
	MOVBLZX (BX), BX     // its pilot
	IMULQ  AX, BX
	SHRQ   $16, BX
	MOVQ   AX, DX
	SHRQ   $32, DX
	XORQ   DX, BX
	ANDQ   32(DI), BX    // mask: the slot in the window
	IMULQ  R9, BX
	SHRQ   $58, AX
	ADDQ   48(DI)(AX*8), BX // windows
	PREFETCHT0 (BX)
	MOVQ   BX, 0(R8)
	ADDQ   $24, SI
	ADDQ   $8, R8
	DECQ   CX
	JNZ    next
	RET
