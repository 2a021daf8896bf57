#!/usr/bin/env python3
"""Makes 25519-table.c: the constants of edwards25519 and the comb of its base point, from RFC 8032's definitions."""

p = 2**255 - 19
d = -121665 * pow(121666, -1, p) % p
sqrt_minus_1 = pow(2, (p - 1) // 4, p)


def recover(y):
    u, v = (y * y - 1) % p, (d * y * y + 1) % p
    x = u * pow(v, 3, p) * pow(u * pow(v, 7, p), (p - 5) // 8, p) % p
    if v * x * x % p != u:
        x = x * sqrt_minus_1 % p
    assert v * x * x % p == u
    return x


def add(P, Q):
    (x1, y1), (x2, y2) = P, Q
    k = d * x1 * x2 * y1 * y2 % p
    return ((x1 * y2 + x2 * y1) * pow(1 + k, -1, p) % p, (y1 * y2 + x1 * x2) * pow(1 - k, -1, p) % p)


def negate(P):
    return (-P[0] % p, P[1])


def element(value):
    return "{" + ", ".join("0x%08X" % (value >> 32 * i & 0xFFFFFFFF) for i in range(8)) + "}"


y = 4 * pow(5, -1, p) % p
x = recover(y)
B = (p - x if x & 1 else x, y)
powers = [B]
for _ in range(7):
    Q = powers[-1]
    for _ in range(32):
        Q = add(Q, Q)
    powers.append(Q)

print("""/* 25519-table.c: constants of edwards25519 (RFC 8032, 5.1) and the comb of its base point. Made by tools/crypto/25519-comb.py. */
#include "25519.h"
""")
order = 2**252 + 27742317777372353535851937790883648493
for name, value in (("order", order), ("d", d), ("2d", 2 * d % p), ("sqrt_minus_1", sqrt_minus_1)):
    print(f"const pc_fe pc_25519_{name} = {element(value)};")
print("\nconst pc_25519_affine pc_25519_comb[2][8] = {")
for j in range(2):
    print("\t{")
    for i in range(8):
        P = powers[4 * j + 3]
        for t in range(3):
            Q = powers[4 * j + t]
            P = add(P, Q if i >> t & 1 else negate(Q))
        x, y = P
        print("\t\t{\n\t\t\t" + ",\n\t\t\t".join(element(v % p) for v in (y + x, y - x, 2 * d * x * y)) + ",\n\t\t},")
    print("\t},")
print("};")
