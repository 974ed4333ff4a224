#include "textflag.h"

// Operands are in Go's order: sources first, the destination last.

// func expandAVX2(dst *uint16, src *byte, n int)
TEXT ·expandAVX2(SB), NOSPLIT, $0-24
	MOVQ	dst+0(FP), DI
	MOVQ	src+8(FP), SI
	MOVQ	n+16(FP), CX
	SHRQ	$5, CX

expand:
	VPMOVZXBW	(SI), Y0
	VPMOVZXBW	16(SI), Y1
	VPSLLW	$7, Y0, Y0
	VPSLLW	$7, Y1, Y1
	VMOVDQU	Y0, (DI)
	VMOVDQU	Y1, 32(DI)
	ADDQ	$32, SI
	ADDQ	$64, DI
	DECQ	CX
	JNZ	expand
	VZEROUPPER
	RET

// func packAVX2(dst *byte, src *uint16, n int)
TEXT ·packAVX2(SB), NOSPLIT, $0-24
	MOVQ	dst+0(FP), DI
	MOVQ	src+8(FP), SI
	MOVQ	n+16(FP), CX
	MOVL	$64, AX
	VMOVD	AX, X15
	VPBROADCASTW	X15, Y15
	SHRQ	$5, CX

pack:
	VPADDW	(SI), Y15, Y0
	VPADDW	32(SI), Y15, Y1
	VPSRLW	$7, Y0, Y0
	VPSRLW	$7, Y1, Y1
	VPACKUSWB	Y1, Y0, Y0
	VPERMQ	$0xd8, Y0, Y0	// each half was packed by itself
	VMOVDQU	Y0, (DI)
	ADDQ	$64, SI
	ADDQ	$32, DI
	DECQ	CX
	JNZ	pack
	VZEROUPPER
	RET

// func floatsAVX2(dst *float32, src *byte, n int)
TEXT ·floatsAVX2(SB), NOSPLIT, $0-24
	MOVQ	dst+0(FP), DI
	MOVQ	src+8(FP), SI
	MOVQ	n+16(FP), CX
	SHRQ	$5, CX

floats:
	VPMOVZXBD	(SI), Y0
	VPMOVZXBD	8(SI), Y1
	VPMOVZXBD	16(SI), Y2
	VPMOVZXBD	24(SI), Y3
	VCVTDQ2PS	Y0, Y0
	VCVTDQ2PS	Y1, Y1
	VCVTDQ2PS	Y2, Y2
	VCVTDQ2PS	Y3, Y3
	VMOVUPS	Y0, (DI)
	VMOVUPS	Y1, 32(DI)
	VMOVUPS	Y2, 64(DI)
	VMOVUPS	Y3, 96(DI)
	ADDQ	$32, SI
	ADDQ	$128, DI
	DECQ	CX
	JNZ	floats
	VZEROUPPER
	RET

// Between 0 in Y15 and 255 in Y14, with a half in Y13 added, without what is behind the point.
#define ROUND(offset, value) \
	VMAXPS	offset(SI), Y15, value; \
	VMINPS	Y14, value, value; \
	VADDPS	Y13, value, value; \
	VCVTTPS2DQ	value, value

// func bytesAVX2(dst *byte, src *float32, n int)
TEXT ·bytesAVX2(SB), NOSPLIT, $0-24
	MOVQ	dst+0(FP), DI
	MOVQ	src+8(FP), SI
	MOVQ	n+16(FP), CX
	VXORPS	Y15, Y15, Y15
	VBROADCASTSS	most<>(SB), Y14
	VBROADCASTSS	half<>(SB), Y13
	VMOVDQU	order<>(SB), Y12
	SHRQ	$5, CX

bytes:
	ROUND(0, Y0)
	ROUND(32, Y1)
	ROUND(64, Y2)
	ROUND(96, Y3)
	VPACKUSDW	Y1, Y0, Y0
	VPACKUSDW	Y3, Y2, Y2
	VPACKUSWB	Y2, Y0, Y0
	VPERMD	Y0, Y12, Y0	// each half was packed by itself
	VMOVDQU	Y0, (DI)
	ADDQ	$128, SI
	ADDQ	$32, DI
	DECQ	CX
	JNZ	bytes
	VZEROUPPER
	RET

DATA most<>+0(SB)/4, $255.0
GLOBL most<>(SB), RODATA|NOPTR, $4
DATA half<>+0(SB)/4, $0.5
GLOBL half<>(SB), RODATA|NOPTR, $4
DATA order<>+0(SB)/8, $0x0000000400000000
DATA order<>+8(SB)/8, $0x0000000500000001
DATA order<>+16(SB)/8, $0x0000000600000002
DATA order<>+24(SB)/8, $0x0000000700000003
GLOBL order<>(SB), RODATA|NOPTR, $32

// func hypotAVX2(dst, a, b *float32, n int)
TEXT ·hypotAVX2(SB), NOSPLIT, $0-32
	MOVQ	dst+0(FP), DI
	MOVQ	a+8(FP), SI
	MOVQ	b+16(FP), DX
	MOVQ	n+24(FP), CX
	XORQ	R8, R8
	SHRQ	$3, CX

hypot:
	VMOVUPS	(SI)(R8*1), Y0
	VMOVUPS	(DX)(R8*1), Y1
	VMULPS	Y0, Y0, Y0
	VMULPS	Y1, Y1, Y1
	VADDPS	Y1, Y0, Y0
	VSQRTPS	Y0, Y0
	VMOVUPS	Y0, (DI)(R8*1)
	ADDQ	$32, R8
	DECQ	CX
	JNZ	hypot
	VZEROUPPER
	RET

// func differencesAVX2(dst, a, b *byte, n int) (size int)
TEXT ·differencesAVX2(SB), NOSPLIT, $0-40
	MOVQ	dst+0(FP), DI
	MOVQ	a+8(FP), SI
	MOVQ	b+16(FP), DX
	MOVQ	n+24(FP), CX
	XORQ	R8, R8
	VPXOR	Y15, Y15, Y15
	VPXOR	Y14, Y14, Y14	// four sums
	SHRQ	$5, CX

differences:
	VMOVDQU	(SI)(R8*1), Y0
	VPSUBB	(DX)(R8*1), Y0, Y0
	VMOVDQU	Y0, (DI)(R8*1)
	VPABSB	Y0, Y0
	VPSADBW	Y15, Y0, Y0
	VPADDQ	Y0, Y14, Y14
	ADDQ	$32, R8
	DECQ	CX
	JNZ	differences
	VEXTRACTI128	$1, Y14, X0
	VPADDQ	X0, X14, X0
	VPSRLDQ	$8, X0, X1
	VPADDQ	X1, X0, X0
	VMOVQ	X0, AX
	MOVQ	AX, size+32(FP)
	VZEROUPPER
	RET
