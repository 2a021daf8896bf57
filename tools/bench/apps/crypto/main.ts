// SHA-256 over 64 KB, an ECDSA signature, and its verification, with a mark between one and the next (bench.c).

const run: () => void = native("xs_bench_crypto");

run();
