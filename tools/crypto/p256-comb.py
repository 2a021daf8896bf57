#!/usr/bin/env python3
"""
Writes the comb of P-256's generator: p256-comb.py native/crypto/kernels/p256-table.h. With --prove: shows that no scalar meets
an exceptional addition.
"""
import itertools
import sys

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
TEETH, TABLES, COLUMNS = 5, 2, 26
SPACING = TABLES * COLUMNS  # of the teeth, in bits
BITS = TEETH * SPACING


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] ** 2 - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope**2 - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    result = None
    k %= N
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def entry(table, digit):
    """The multiple of G that a 5-bit digit of a table stands for: each bit is a sign."""
    return sum((1 if digit >> t & 1 else -1) << (SPACING * t + COLUMNS * table) for t in range(TEETH))


def limbs(value):
    value = value * 2**256 % P
    return [value >> (32 * i) & 0xFFFFFFFF for i in range(8)]


def write():
    half = 1 << (TEETH - 1)
    lines = [
        "/*",
        " * p256-table.h: made by tools/crypto/p256-comb.py. For each of two tables u, the sixteen points with j = 0..15",
        " * 2^(26 u) * (2^208 +- 2^156 +- 2^104 +- 2^52 +- 1) * G, where bit t of j is the sign of 2^(52 t), 1 being +.",
        " */",
        "/* clang-format off */",
        f"static const pc_p256_affine comb[{TABLES}][{half}] = {{",
    ]
    for table in range(TABLES):
        lines.append("\t{")
        for digit in range(half, 2 * half):
            rows = []
            for value in multiply(entry(table, digit), G):
                rows.append("{" + ", ".join(f"0x{limb:08x}" for limb in limbs(value)) + "}")
            lines.append(f"\t\t{{{rows[0]},\n\t\t\t{rows[1]}}},")
        lines.append("\t},")
    lines += ["};", "/* clang-format on */"]
    with open(sys.argv[1], "w") as out:
        out.write("\n".join(lines) + "\n")


def prove():
    """
    p256.c adds, in each column from 25 down to 0, the points of tables 1 and 0 to the sum s * G, and doubles between columns.
    An addition of t * G fails only if s = t or s = -t modulo n.

    As integers that never happens: t is 2^(26 u) times an odd number, whereas s, after a doubling of an odd number (table 0
    comes last), is twice an odd number plus a multiple of 2^26; and in column 25 it is 2^26 times an odd number when table 0
    comes. Modulo n it could only happen where |s| + |t| >= n. In columns above 0, |s| <= 2^255 + 2^237 and |t| < 2^236. In
    column 0 the scalar k, which is odd, would be s + t plus the entries still to come: with s = t or s = -t that gives
    one k for each choice of entries. This tries all of them, and looks whether k really has these digits.
    """
    tried = 0
    for position, table in enumerate((1, 0)):
        later = (1, 0)[position + 1 :]
        for digits in itertools.product(range(1 << TEETH), repeat=len(later)):
            rest = sum(entry(u, digit) for u, digit in zip(later, digits))
            cases = [(rest, None)] + [(rest + 2 * entry(table, d), d) for d in range(1 << TEETH)]
            for value, digit in cases:
                tried += 1
                k = value % N
                if not k & 1:
                    continue
                signs = (k + 2**BITS - 1) // 2

                def has(u, wanted):
                    return wanted is None or all(
                        signs >> (SPACING * t + COLUMNS * u) & 1 == wanted >> t & 1 for t in range(TEETH)
                    )

                if has(table, digit) and all(has(u, d) for u, d in zip(later, digits)):
                    sys.exit(f"exceptional scalar: {k:x}")
    print(f"comb: {tried} candidates, no exceptional scalar")


if __name__ == "__main__":
    prove() if "--prove" in sys.argv else write()
