#include "textflag.h"

// shifted is clock_gettime(DI clock, SI *timespec) of C: the kernel's, with the time
// of day (clock 0) shifted.
TEXT shifted<>(SB),NOSPLIT|NOFRAME,$0
	PUSHQ DI
	PUSHQ SI
	SUBQ $8, SP
	MOVQ ·kernel(SB), AX
	CALL AX
	ADDQ $8, SP
	POPQ SI
	POPQ DI
	CMPL DI, $0
	JNE  done
	MOVQ ·ahead(SB), CX
	ADDQ CX, 0(SI)
done:
	RET

TEXT ·shiftedPC(SB),NOSPLIT,$0-8
	LEAQ shifted<>(SB), AX
	MOVQ AX, ret+0(FP)
	RET
