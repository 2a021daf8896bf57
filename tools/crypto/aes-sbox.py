#!/usr/bin/env python3
"""Turns a sequence found by aes-sbox-search into a GNU assembler macro, and checks it for all 256 bytes.

    aes-sbox.py aes-sbox.txt [TRIES] > native/crypto/kernels/aes-sbox.inc
    aes-sbox.py --check native/crypto/kernels/aes-sbox.inc

Registers are given out anew so that input bit 7-j and output bit 7-j both lie in r<j>; the others used are r8..r11 and lr.
"""
import random
import sys

NAMES = ["r%d" % i for i in range(12)] + ["lr"]


def parse(path):
    """Instructions over values (each definition is a new value): (op, defined or None, used..., slot)."""
    value, count, program = {}, 8, []
    for i in range(8):
        value["r%d" % i] = i
    outs = {}
    for line in open(path):
        w = line.split()
        if w[0] in ("eor", "and"):
            a, b = value[w[2]], value[w[3]]
            value[w[1]] = count
            program.append((w[0], count, (a, b), None))
            count += 1
        elif w[0] == "str":
            program.append(("str", None, (value[w[1]],), int(w[2][4:])))
        elif w[0] == "ldr":
            value[w[1]] = count
            program.append(("ldr", count, (), int(w[2][4:])))
            count += 1
        elif w[0] == "out":
            outs[int(w[1][1:])] = value[w[2]]
    return program, outs, count


def color(program, outs, count, tries):
    last = {v: len(program) for v in outs.values()}
    for n in range(len(program) - 1, -1, -1):
        for v in program[n][2]:
            last.setdefault(v, n)
    target = {v: j for j, v in outs.items()}
    born = {d: n for n, (_, d, _, _) in enumerate(program) if d is not None}
    ends = [min((born[v] for v, j in target.items() if j == r), default=10**9) for r in range(13)]
    best = None
    for attempt in range(tries):
        reg = {i: i for i in range(8)}
        free = set(range(8, 13))
        score = 0
        ok = True
        for n, (op, d, used, _) in enumerate(program):
            for v in set(used):
                if last[v] == n:
                    free.add(reg[v])
            if d is None:
                continue
            if d in target:
                if target[d] not in free:
                    ok = False
                    break
                r = target[d]
            else:
                # not a register whose final value is born while this one lives
                good = [r for r in free if not (n < ends[r] < last[d])]
                if not good:
                    ok = False
                    break
                narrow = [reg[v] for v in used if reg[v] in good and reg[v] < 8]
                low = [r for r in good if r < 8]
                if narrow and random.random() < 0.9:
                    r = random.choice(narrow)
                elif low and random.random() < 0.7:
                    r = random.choice(low)
                else:
                    r = random.choice(good)
            if op in ("eor", "and") and r < 8 and all(reg[v] < 8 for v in used) and any(reg[v] == r for v in used):
                score += 1
            if op in ("ldr", "str") and r < 8:
                score += 1
            free.discard(r)
            reg[d] = r
        if ok and (best is None or score > best[0]):
            best = (score, dict(reg))
    return best


def aes_sbox():
    table, p, q = [0] * 256, 1, 1
    while True:
        p = p ^ ((p << 1) & 255) ^ (0x1B if p & 128 else 0)
        for s in (1, 2, 4):
            q ^= (q << s) & 255
        if q & 128:
            q ^= 9
        table[p] = 0x63
        for k in range(5):
            table[p] ^= ((q << k) | (q >> (8 - k))) & 255
        if p == 1:
            break
    table[0] = 0x63
    return table


def start():
    """The registers with the bits of all 256 bytes side by side."""
    return [sum((x >> (7 - j) & 1) << x for x in range(256)) for j in range(8)] + [None] * 5


def check_end(file):
    table = aes_sbox()
    for j in range(8):
        assert file[j] == sum(((table[x] ^ 0x63) >> (7 - j) & 1) << x for x in range(256)), j


def check(program, reg):
    file, slots = start(), {}
    for op, d, used, slot in program:
        if op == "str":
            slots[slot] = file[reg[used[0]]]
        elif op == "ldr":
            file[reg[d]] = slots[slot]
        else:
            a, b = (file[reg[v]] for v in used)
            file[reg[d]] = a ^ b if op == "eor" else a & b
    check_end(file)


def check_macro(path):
    """Executes the macro as it stands in the file."""
    file, slots, count = start(), {}, 0
    for line in open(path):
        w = line.replace(",", " ").replace("[", " ").replace("]", " ").split()
        if not w or w[0] not in ("eor", "eors", "and", "ands", "str", "ldr"):
            continue
        count += 1
        r = NAMES.index(w[1])
        if w[0] in ("str", "ldr"):
            slot = int(w[-1])
            if w[0] == "str":
                slots[slot] = file[r]
            else:
                file[r] = slots[slot]
            continue
        a, b = file[NAMES.index(w[-2])], file[NAMES.index(w[-1])]
        file[r] = a ^ b if w[0][0] == "e" else a & b
    check_end(file)
    print(f"{path}: {count} instructions, right for all 256 bytes")


def main():
    if sys.argv[1] == "--check":
        return check_macro(sys.argv[2])
    random.seed(1)
    program, outs, count = parse(sys.argv[1])
    best = color(program, outs, count, int(sys.argv[2]) if len(sys.argv) > 2 else 200000)
    if not best:
        sys.exit("no assignment of registers found")
    reg = best[1]
    check(program, reg)
    alu = sum(1 for p in program if p[0] in ("eor", "and"))
    memory = len(program) - alu
    print(f"""/*
 * aes-sbox.inc: the AES S-box on 32 bytes, bitsliced, without its final addition of 0x63.
 * In: bit 7-j of every byte in r<j>. Out: the same. Uses r8-r11, lr and {1 + max(p[3] for p in program if p[3] is not None)} words at sp + slot.
 * {alu} logic instructions, {memory} loads and stores. Made by tools/crypto/aes-sbox-search.cpp and aes-sbox.py from the
 * circuit of Boyar, Peralta and Calik; checked there for all 256 bytes.
 */
	.macro sbox slot""")
    size = 0
    for op, d, used, slot in program:
        if op in ("str", "ldr"):
            r = reg[used[0] if op == "str" else d]
            print(f"\t{op}\t{NAMES[r]}, [sp, #\\slot + {4 * slot}]")
            size += 2 if r < 8 else 4
        else:
            a, b = (reg[v] for v in used)
            r = reg[d]
            if b == r:
                a, b = b, a
            if a == r and a < 8 and b < 8:
                print(f"\t{op}s\t{NAMES[r]}, {NAMES[b]}")
                size += 2
            else:
                print(f"\t{op}\t{NAMES[r]}, {NAMES[a]}, {NAMES[b]}")
                size += 4
    print("\t.endm")
    print(f"sbox: {size} bytes", file=sys.stderr)


main()
