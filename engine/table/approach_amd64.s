//go:build !(purego || invariants || race)

#include "go_asm.h"
#include "textflag.h"

// The stages of LookupBatch, as lookup_unsafe.go writes them out: seed.hash and shape.bucket; the pilot and shape.slot; the
// comparison. They are in assembly for PREFETCHT0 alone, which Go has no word for: a load that nobody waits for still has to
// be retired in its turn, and the hundreds of cycles that it takes would hold up the keys behind it.
//
// CX counts from -n to 0; R14 and R8 are behind the n-th hash and entry. The bucket is computed in the first stage and in the
// second, so that there is nothing but the hash to be kept between them. An entry begins with its key: layout_test.go.

// HEADER loads what the stages need of the table. The mask and the windows remain there.
#define HEADER \
	MOVQ header+0(FP), DI; \
	MOVQ 0(DI), R10;       \ // mixLo
	MOVQ 8(DI), R11;       \ // mixHi
	MOVQ 16(DI), R12;      \ // mixID
	MOVQ 24(DI), R13;      \ // buckets
	MOVQ 40(DI), R15         // the first pilot

// HASH hashes the key that lies ahead bytes behind SI and asks for the line of its pilot.
#define HASH(ahead, to) \
	MOVL   (ahead+Key_ID)(SI), AX; \
	MOVQ   (ahead+Key_Hi)(SI), BX; \
	MOVQ   (ahead+Key_Lo)(SI), DX; \
	IMULQ  R12, AX;        \
	XORQ   R11, BX;        \
	XORQ   R10, DX;        \
	XORQ   BX, AX;         \
	MULQ   DX;             \
	BSWAPQ DX;             \
	XORQ   DX, AX;         \
	MOVQ   AX, to;         \
	SHRQ   $32, AX;        \
	IMULQ  R13, AX;        \
	SHRQ   $32, AX;        \ // the bucket
	PREFETCHT0 (R15)(AX*1)

// ENTRY finds the entry that a hash leads to and asks for its line.
#define ENTRY(from, to) \
	MOVQ   from, AX;       \
	MOVQ   AX, DX;         \
	SHRQ   $32, DX;        \
	MOVQ   DX, BX;         \
	IMULQ  R13, BX;        \
	SHRQ   $32, BX;        \ // the bucket
	MOVBLZX (R15)(BX*1), BX; \ // its pilot
	IMULQ  AX, BX;         \
	SHRQ   $16, BX;        \
	XORQ   DX, BX;         \
	ANDQ   32(DI), BX;     \ // mask: the slot in the window
	IMULQ  R9, BX;         \
	SHRQ   $58, AX;        \
	ADDQ   48(DI)(AX*8), BX; \ // windows
	PREFETCHT0 (BX);       \
	MOVQ   BX, to

// ENDS loads what ENTRY needs beside that. CX is n.
#define ENDS(hashes, found, size) \
	MOVQ hashes, R14;      \
	MOVQ found, R8;        \
	MOVQ size, R9;         \
	LEAQ (R14)(CX*8), R14; \
	LEAQ (R8)(CX*8), R8

// func ask(header *uint64, keys address, n int, hashes address)
TEXT ·ask(SB), NOSPLIT, $0-32
	HEADER
	MOVQ keys+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ hashes+24(FP), R14
	LEAQ (R14)(CX*8), R14
	NEGQ CX
	JZ   done

next:
	HASH(0, (R14)(CX*8))
	ADDQ $Key__size, SI
	INCQ CX
	JNZ  next

done:
	RET

// func approach(header *uint64, hashes address, n int, found address, size uint64)
TEXT ·approach(SB), NOSPLIT, $0-40
	HEADER
	MOVQ n+16(FP), CX
	ENDS(hashes+8(FP), found+24(FP), size+32(FP))
	NEGQ CX
	JZ   done

next:
	ENTRY((R14)(CX*8), (R8)(CX*8))
	INCQ CX
	JNZ  next

done:
	RET

// func advance(header *uint64, keys address, n int, hashes address, found address, size uint64)
TEXT ·advance(SB), NOSPLIT, $0-48
	HEADER
	MOVQ keys+8(FP), SI
	MOVQ n+16(FP), CX
	ENDS(hashes+24(FP), found+32(FP), size+40(FP))
	NEGQ CX
	JZ   done

next:
	HASH(const_few*Key__size, (const_near*8)(R14)(CX*8))
	ENTRY((R14)(CX*8), (const_far*8)(R8)(CX*8))
	MOVQ (R8)(CX*8), BX
	MOVQ Key_Lo(SI), AX
	CMPQ AX, Key_Lo(BX)
	JNE  stranger
	MOVQ Key_Hi(SI), AX
	CMPQ AX, Key_Hi(BX)
	JNE  stranger
	MOVL Key_ID(SI), AX
	CMPL AX, Key_ID(BX)
	JNE  stranger

compared:
	ADDQ $Key__size, SI
	INCQ CX
	JNZ  next

done:
	RET

stranger:
	MOVQ $0, (R8)(CX*8)
	JMP  compared
