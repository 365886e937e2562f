# SPDX-License-Identifier: BSD-3-Clause
#
# The disk of the probe for KVM (see probe.go), for GNU as. TestProbeDisk
# assembles it and compares it with probe.hex, which is what is built in:
#
#   as --64 -o probe.o probe.asm
#   ld -m elf_x86_64 -Ttext 0x7c00 --oformat binary -o probe.bin probe.o
#
# It does what a boot does, and writes a letter to the debug console after each
# step. In the end it writes 0x10 to the port of isa-debug-exit, or 0x11 if it
# got another result than a processor gives.

	.intel_syntax noprefix
	.set	STACK, 0x7c00
	.set	REST, 7			# sectors behind the first one
	.set	READS, 256		# of the rest, through the BIOS
	.set	SWITCHES, 1000		# between real and protected mode
	.set	ROUNDS, 4000000		# of the computation, in each mode
	.set	RESULT, 0x4a008f01	# what it gives
	.set	REMAPS, 1000		# of a page
	.set	CALLS, 1000		# from ring 3
	.set	TICKS, 40		# of a timer of 1000 Hz
	.set	EXITS, 10000		# to QEMU
	.set	TABLES, 0x10000		# page tables, and one of interrupts
	.set	BUFFER, 0x100000	# 64 KiB for the computation
	.set	PAGES, 0x1000000	# 16 MiB that nobody has touched
	.set	WINDOW, 0x40000000	# the page that is mapped anew

	.macro	step letter		# a step is done
	mov	al, \letter
	out	0xe9, al
	.endm

	.macro	compute buffer		# ROUNDS of a generator of numbers and a store
	mov	ecx, ROUNDS
	mov	eax, 1
1:	imul	eax, eax, 1103515245
	add	eax, 12345
	mov	ebx, eax
	shr	ebx, 16
	xor	byte ptr [ebx + \buffer], al
	dec	ecx
	jnz	1b
	cmp	eax, RESULT
	jne	wrong
	.endm

	.code16
	.globl	_start
_start:
	cli
	xor	ax, ax
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	sp, STACK
	ljmp	0, offset begin
begin:
	mov	byte ptr [drive], dl
	sti
	step	'f'			# the firmware

read:	mov	si, offset packet
	mov	ah, 0x42
	mov	dl, byte ptr [drive]
	int	0x13
	jc	failed
	dec	word ptr [reads]
	jnz	read
	step	'd'			# disk reads
	jmp	rest
failed:	mov	al, 0x11
	out	0xf4, al
	hlt

	.balign	4
packet:	.byte	16, 0			# for extended reads (EDD)
	.word	REST, rest, 0
	.quad	1
reads:	.word	READS
drive:	.byte	0
	.org	_start + 510
	.byte	0x55, 0xaa

rest:	mov	eax, dword ptr [0x46c]	# the BIOS's ticks, 18 a second
	add	eax, 2
tick:	hlt
	cmp	dword ptr [0x46c], eax
	jb	tick
	step	't'			# a timer

switch:	cli
	lgdt	[table]
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	ljmp	0x08, offset protected
	.code32
protected:
	mov	eax, 0x10
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	dec	dword ptr [switches]
	jz	stay
	ljmp	0x18, offset narrow
	.code16
narrow:	mov	ax, 0x20
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	eax, cr0
	and	al, 0xfe
	mov	cr0, eax
	ljmp	0, offset real
real:	xor	ax, ax
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	sti
	mov	ah, 0			# the BIOS's time, as boot loaders ask for it
	int	0x1a
	jmp	switch

	.code32
wrong:	mov	al, 0x11
	out	0xf4, al
	hlt

stay:	step	's'			# switches
	in	al, 0x92		# the gate of address line 20
	or	al, 2
	and	al, 0xfe
	out	0x92, al
	compute	BUFFER
	step	'p'			# protected mode

	cld
	mov	edi, TABLES
	mov	ecx, 0x6000 / 4
	xor	eax, eax
	rep stosd
	mov	dword ptr [TABLES], TABLES + 0x1007
	mov	dword ptr [TABLES + 0x1000], TABLES + 0x2007	# the first GiB
	mov	dword ptr [TABLES + 0x1008], TABLES + 0x3007	# the window
	mov	dword ptr [TABLES + 0x3000], TABLES + 0x4007
	mov	edi, TABLES + 0x2000
	mov	eax, 0x87		# 2 MiB, for everybody
	mov	ecx, 32
1:	stosd
	add	edi, 4
	add	eax, 0x200000
	loop	1b
	mov	eax, TABLES
	mov	cr3, eax
	mov	eax, 0x620		# PAE, and SSE
	mov	cr4, eax
	mov	ecx, 0xc0000080		# EFER: long mode, and SYSCALL
	mov	eax, 0x101
	xor	edx, edx
	wrmsr
	mov	eax, 0x80000011
	mov	cr0, eax
	ljmp	0x28, offset long

	.code64
long:	mov	eax, 0x30
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	esp, STACK
	compute	BUFFER
	mov	rcx, 0x123456789abcdef0
	movq	xmm0, rcx
	paddq	xmm0, xmm0
	movq	rdx, xmm0
	add	rcx, rcx
	cmp	rdx, rcx
	jne	wrong
	mov	edi, PAGES		# memory that the host gives only now
	mov	ecx, 4096
1:	add	dword ptr [rdi], ecx
	add	edi, 4096
	dec	ecx
	jnz	1b
	step	'l'			# long mode

	mov	esi, PAGES		# a page that is another one each time
	mov	ecx, REMAPS
1:	mov	dword ptr [rsi], ecx
	lea	eax, [rsi + 7]
	mov	dword ptr [TABLES + 0x4000], eax
	invlpg	[WINDOW]
	cmp	dword ptr [WINDOW], ecx
	jne	wrong
	mov	rax, cr3
	mov	cr3, rax
	add	esi, 4096
	dec	ecx
	jnz	1b
	step	'm'			# page tables

	mov	ecx, 0xc0000081		# STAR: segments of both sides of SYSCALL
	xor	eax, eax
	mov	edx, 0x3b0028
	wrmsr
	inc	ecx			# LSTAR: where it leads
	mov	eax, offset kernel
	xor	edx, edx
	wrmsr
	mov	ecx, 0xc0000084		# the flags that it clears
	mov	eax, 0x200
	wrmsr
	mov	ebx, CALLS
	mov	ecx, offset user
	mov	r11d, 2
	sysretq
user:	syscall
	jmp	user
kernel:	dec	ebx
	jz	1f
	sysretq
1:	step	'u'			# user mode

	mov	eax, offset handler	# the handler of the timer
	mov	edi, TABLES + 0x5200
	mov	word ptr [rdi], ax
	mov	dword ptr [rdi + 2], 0x8e000028
	lidt	[interrupts]
	mov	al, 0x11		# interrupts from 0x20 on
	out	0x20, al
	mov	al, 0x20
	out	0x21, al
	mov	al, 4
	out	0x21, al
	mov	al, 1
	out	0x21, al
	mov	al, 0xfe		# of the timer alone
	out	0x21, al
	mov	al, 0xff
	out	0xa1, al
	mov	al, 0x34		# 1193182 Hz / 1193
	out	0x43, al
	mov	al, 1193 & 0xff
	out	0x40, al
	mov	al, 1193 >> 8
	out	0x40, al
	xor	ebx, ebx
1:	sti
	hlt
	cmp	ebx, TICKS
	jb	1b
	cli
	step	'i'			# interrupts

	mov	ebx, EXITS / 10
1:	mov	ecx, 10
2:	out	0x80, al		# QEMU's business
	dec	ecx
	jnz	2b
	push	rbx
	xor	eax, eax
	cpuid				# the kernel's
	pop	rbx
	dec	ebx
	jnz	1b
	step	'x'			# exits
	mov	al, 0x10
	out	0xf4, al
	hlt

handler:
	push	rax
	inc	ebx
	mov	al, 0x20
	out	0x20, al
	pop	rax
	iretq

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9a000000ffff	# 0x08: code of 32 bits
	.quad	0x00cf92000000ffff	# 0x10: data
	.quad	0x00009a000000ffff	# 0x18: code of 16 bits
	.quad	0x000092000000ffff	# 0x20: data
	.quad	0x00af9a000000ffff	# 0x28: code of 64 bits
	.quad	0x00cf92000000ffff	# 0x30: data
	.quad	0			# 0x38: where SYSRET counts from
	.quad	0x00cff2000000ffff	# 0x40: data of ring 3
	.quad	0x00affa000000ffff	# 0x48: code of ring 3
table:	.word	table - gdt - 1
	.long	gdt
interrupts:
	.word	0xfff
	.quad	TABLES + 0x5000
switches:
	.long	SWITCHES
