// aes-sbox-search: finds a short ARM instruction sequence for the AES S-box, bitsliced.
//
// The S-box circuit of Boyar, Peralta and Calik (113 gates: 32 AND, 81 XOR) needs more live values than the core has
// registers. Every value of it is a sum of "atoms" (the 8 inputs and the 32 results of ANDs), so a value that was dropped can
// be had again with one EOR wherever two others whose sum it is are at hand; that is often cheaper than a store and a load.
// This program anneals over instruction sequences: it moves instructions, splits sums differently, adds and removes
// recomputations. Registers are given out by Belady's rule; stores cost 1, loads 2 (1 directly behind another load).
//
//     aes-sbox-search REGISTERS SEED SECONDS START.txt|- OUT.txt      keeps the best sequence found in OUT.txt
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>
using namespace std;
typedef uint64_t V; // set of atoms
static map<string, V> sym;
static V vec(const string &s) {
	auto it = sym.find(s);
	if (it == sym.end()) {
		fprintf(stderr, "unknown %s\n", s.c_str());
		exit(1);
	}
	return it->second;
}
struct Ins {
	V d, a, b;
	int8_t is_and;
};
static vector<pair<V, V>> andargs(64);
static const char *circuit =
	"y14=x3^x5 y13=x0^x6 y9=x0^x3 y8=x0^x5 t0=x1^x2 y1=t0^x7 y4=y1^x3 y12=y13^y14 y2=y1^x0 y5=y1^x6 y3=y5^y8 t1=x4^y12 "
	"y15=t1^x5 y20=t1^x1 y6=y15^x7 y10=y15^t0 y11=y20^y9 y7=x7^y11 y17=y10^y11 y19=y10^y8 y16=t0^y11 y21=y13^y16 "
	"y18=x0^y16 "
	"t2=y12&y15 t3=y3&y6 t4=t3^t2 t5=y4&x7 t6=t5^t2 t7=y13&y16 t8=y5&y1 t9=t8^t7 t10=y2&y7 t11=t10^t7 t12=y9&y11 "
	"t13=y14&y17 "
	"t14=t13^t12 t15=y8&y10 t16=t15^t12 t17=t4^t14 t18=t6^t16 t19=t9^t14 t20=t11^t16 t21=t17^y20 t22=t18^y19 "
	"t23=t19^y21 t24=t20^y18 "
	"t25=t21^t22 t26=t21&t23 t27=t24^t26 t28=t25&t27 t29=t28^t22 t30=t23^t24 t31=t22^t26 t32=t31&t30 t33=t32^t24 "
	"t34=t23^t33 "
	"t35=t27^t33 t36=t24&t35 t37=t36^t34 t38=t27^t36 t39=t29&t38 t40=t25^t39 t41=t40^t37 t42=t29^t33 t43=t29^t40 "
	"t44=t33^t37 t45=t42^t41 "
	"z0=t44&y15 z1=t37&y6 z2=t33&x7 z3=t43&y16 z4=t40&y1 z5=t29&y7 z6=t42&y11 z7=t45&y17 z8=t41&y10 z9=t44&y12 "
	"z10=t37&y3 "
	"z11=t33&y4 z12=t43&y13 z13=t40&y5 z14=t29&y2 z15=t42&y9 z16=t45&y14 z17=t41&y8 "
	"c1=z15^z16 c2=z10^c1 c3=z9^c2 c4=z0^z2 c5=z1^z0 c6=z3^z4 c7=z12^c4 c8=z7^c6 c9=z8^c7 c10=c8^c9 c11=c6^c5 "
	"c12=z3^z5 "
	"c13=z13^c1 c14=c4^c12 s3=c3^c11 c16=z6^c8 c17=z14^c10 c18=c13^c14 s7=z12^c18 c20=z15^c16 c21=c2^z11 s6=c10^c18 "
	"s4=c14^s3 s1=s3^c16 c26=c17^c20 s2=c26^z17 s5=c21^c17 s0=c3^c16";
static uint64_t rs = 88172645463325252ull;
static inline uint32_t rnd() {
	rs ^= rs << 13;
	rs ^= rs >> 7;
	rs ^= rs << 17;
	return (uint32_t)(rs >> 20);
}
static inline uint32_t rnd(uint32_t n) {
	return rnd() % n;
}
static vector<V> outs;
static int R = 14;
static const int MAXN = 260;

struct Prog {
	int n;
	Ins p[MAXN];
};

// value ids local to evaluation: map vectors to small ids by hashing
struct Hash {
	V key[1024];
	int16_t val[1024];
	int count;
	void clear() {
		memset(val, -1, sizeof val);
		count = 0;
	}
	int get(V v, bool add) {
		uint32_t h = (uint32_t)((v * 0x9E3779B97F4A7C15ull) >> 54);
		while (val[h] >= 0) {
			if (key[h] == v)
				return val[h];
			h = (h + 1) & 1023;
		}
		if (!add)
			return -1;
		key[h] = v;
		val[h] = count;
		return count++;
	}
};
static Hash H;
static int did[MAXN], aid[MAXN], bid[MAXN];
static int nexta[MAXN], nextb[MAXN], nextd[MAXN];

struct Event {
	int kind;
	int a, b, d;
	V v;
	int slot;
}; // for output: 0 alu, 1 store, 2 load
struct Out {
	vector<string> lines;
};

static double W_LD = 2, W_ST = 1;

// returns cost or 1e9 if invalid. If text != null, write the allocated program there.
static double evaluate(const Prog &P, vector<string> *text) {
	H.clear();
	for (int i = 0; i < 8; i++)
		H.get(1ull << i, true);
	for (int i = 0; i < P.n; i++) {
		const Ins &I = P.p[i];
		aid[i] = H.get(I.a, false);
		bid[i] = H.get(I.b, false);
		if (aid[i] < 0 || bid[i] < 0)
			return 1e9;
		did[i] = H.get(I.d, true);
	}
	int nv = H.count;
	static int next[MAXN + 16];
	for (int i = 0; i < nv; i++)
		next[i] = 1 << 20; // dead
	for (V o : outs) {
		int k = H.get(o, false);
		if (k < 0)
			return 1e9;
		next[k] = P.n;
	}
	for (int i = P.n - 1; i >= 0; i--) {
		nextd[i] = next[did[i]];
		next[did[i]] = 1 << 20;
		nexta[i] = next[aid[i]];
		nextb[i] = next[bid[i]];
		next[aid[i]] = i;
		next[bid[i]] = i;
	}
	// simulate
	static int reg_of[MAXN + 16];
	static int8_t slot[MAXN + 16];
	static int nu[MAXN + 16];
	int regs[16];
	for (int i = 0; i < nv; i++)
		reg_of[i] = -1, slot[i] = -1;
	for (int r = 0; r < R; r++)
		regs[r] = -1;
	static int slot_owner[64];
	int nslots = 0;
	for (int i = 0; i < 8; i++) {
		regs[i] = i;
		reg_of[i] = i;
		nu[i] = next[i];
	}
	double cost = 0;
	bool lastld = false;
	auto name = [&](int r) { return "r" + to_string(r); };
	auto freereg = [&](int keep1, int keep2, int now) -> int {
		int best = -1, bestn = -1;
		for (int r = 0; r < R; r++) {
			int v = regs[r];
			if (v < 0)
				return r;
			if (nu[v] >= (1 << 20)) {
				reg_of[v] = -1;
				return r;
			}
		}
		// prefer farthest; values already in memory cost no store
		for (int r = 0; r < R; r++) {
			int v = regs[r];
			if (v == keep1 || v == keep2)
				continue;
			int score = nu[v] * 2 + (slot[v] >= 0);
			if (score > bestn)
				bestn = score, best = r;
		}
		int v = regs[best];
		if (slot[v] < 0) {
			int s = 0;
			for (; s < nslots; s++) {
				int o = slot_owner[s];
				if (o < 0 || slot[o] != s)
					break;
			}
			if (s == nslots) {
				nslots++;
				if (nslots > 60)
					return -1;
			}
			slot_owner[s] = v;
			slot[v] = s;
			cost += W_ST;
			lastld = false;
			if (text)
				text->push_back("str " + name(best) + " slot" + to_string(s));
		}
		reg_of[v] = -1;
		return best;
	};
	auto need = [&](int v, int keep, int now) -> bool {
		if (reg_of[v] >= 0)
			return true;
		if (slot[v] < 0)
			return false;
		int r = freereg(v, keep, now);
		if (r < 0)
			return false;
		regs[r] = v;
		reg_of[v] = r;
		cost += lastld ? 1 : W_LD;
		lastld = true;
		if (text)
			text->push_back("ldr " + name(r) + " slot" + to_string((int)slot[v]));
		return true;
	};
	for (int i = 0; i < P.n; i++) {
		int a = aid[i], b = bid[i], d = did[i];
		if (!need(a, b, i))
			return 1e9;
		if (!need(b, a, i))
			return 1e9;
		int ra = reg_of[a], rb = reg_of[b];
		nu[a] = nexta[i];
		nu[b] = nextb[i];
		if (a == b)
			return 1e9;
		int rd;
		if (reg_of[d] >= 0)
			rd = reg_of[d];
		else {
			// operands may be overwritten when dead; else evict (operands may be evicted too: farthest rule)
			if (nu[a] >= (1 << 20)) {
				rd = ra;
				reg_of[a] = -1;
			} else if (nu[b] >= (1 << 20)) {
				rd = rb;
				reg_of[b] = -1;
			} else {
				rd = freereg(-1, -1, i);
				if (rd < 0)
					return 1e9;
			}
		}
		if (nu[a] >= (1 << 20) && reg_of[a] >= 0) {
			regs[reg_of[a]] = -1;
			reg_of[a] = -1;
		}
		if (nu[b] >= (1 << 20) && reg_of[b] >= 0) {
			regs[reg_of[b]] = -1;
			reg_of[b] = -1;
		}
		for (int q = 0; q < 2; q++) {
			int v = q ? b : a;
			if (nu[v] >= (1 << 20))
				slot[v] = -1;
		}
		regs[rd] = d;
		reg_of[d] = rd;
		nu[d] = nextd[i];
		cost += 1;
		lastld = false;
		if (text)
			text->push_back(string(P.p[i].is_and ? "and " : "eor ") + name(rd) + " " + name(ra) + " " + name(rb));
		if (nu[d] >= (1 << 20)) {
			regs[rd] = -1;
			reg_of[d] = -1;
		}
	}
	for (V o : outs) {
		int v = H.get(o, false);
		if (!need(v, -1, P.n))
			return 1e9;
	}
	if (text) {
		int k = 0;
		for (V o : outs) {
			text->push_back("out s" + to_string(k++) + " " + name(reg_of[H.get(o, false)]));
		}
	}
	return cost;
}

static void save(const Prog &P, double cost, const char *file) {
	FILE *f = fopen(file, "w");
	vector<string> t;
	evaluate(P, &t);
	fprintf(f, "# cost %g registers %d\n", cost, R);
	for (int i = 0; i < P.n; i++)
		fprintf(f, "I %llx %llx %llx %d\n", (unsigned long long)P.p[i].d, (unsigned long long)P.p[i].a,
			(unsigned long long)P.p[i].b, P.p[i].is_and);
	for (auto &s : t)
		fprintf(f, "%s\n", s.c_str());
	fclose(f);
}

int main(int argc, char **argv) {
	R = atoi(argv[1]);
	rs ^= (uint64_t)atoi(argv[2]) * 0x9E3779B97F4A7C15ull;
	double seconds = atof(argv[3]);
	double T0 = argc > 6 ? atof(argv[6]) : 1.0;
	for (int i = 0; i < 20; i++)
		rnd();
	Prog P;
	P.n = 0;
	for (int i = 0; i < 8; i++)
		sym["x" + to_string(i)] = 1ull << i;
	int atom = 8;
	string c = circuit;
	size_t pos = 0;
	while (pos < c.size()) {
		size_t e = c.find(' ', pos);
		if (e == string::npos)
			e = c.size();
		string w = c.substr(pos, e - pos);
		pos = e + 1;
		size_t q = w.find('='), o = w.find_first_of("^&");
		V a = vec(w.substr(q + 1, o - q - 1)), b = vec(w.substr(o + 1));
		V d;
		bool an = w[o] == '&';
		if (an) {
			d = 1ull << atom;
			andargs[atom] = {a, b};
			atom++;
		} else
			d = a ^ b;
		sym[w.substr(0, q)] = d;
		P.p[P.n++] = {d, a, b, an};
	}
	for (int i = 0; i < 8; i++)
		outs.push_back(vec("s" + to_string(i)));
	if (strcmp(argv[4], "-")) {
		FILE *f = fopen(argv[4], "r");
		char line[200];
		P.n = 0;
		while (fgets(line, sizeof line, f)) {
			unsigned long long d, a, b;
			int k;
			if (sscanf(line, "I %llx %llx %llx %d", &d, &a, &b, &k) == 4)
				P.p[P.n++] = {d, a, b, (int8_t)k};
		}
		fclose(f);
	}
	double cur = evaluate(P, nullptr), best = cur;
	Prog B = P;
	printf("start %g (%d ops)\n", cur, P.n);
	save(B, best, argv[5]);
	auto t0 = chrono::steady_clock::now();
	double T = T0;
	uint64_t it = 0;
	Prog Q;
	while (true) {
		if ((it++ & 1023) == 0) {
			double el = chrono::duration<double>(chrono::steady_clock::now() - t0).count();
			if (el > seconds)
				break;
			double f = el / seconds;
			T = T0 * pow(0.08 / T0, f);
		}
		Q = P;
		int kind = rnd(100);
		if (kind < 45) { // move
			int i = rnd(Q.n), j;
			if (rnd(2))
				j = rnd(Q.n);
			else {
				j = i + (int)rnd(21) - 10;
				if (j < 0)
					j = 0;
				if (j >= Q.n)
					j = Q.n - 1;
			}
			if (i == j)
				continue;
			Ins t = Q.p[i];
			if (i < j)
				memmove(Q.p + i, Q.p + i + 1, (j - i) * sizeof(Ins));
			else
				memmove(Q.p + j + 1, Q.p + j, (i - j) * sizeof(Ins));
			Q.p[j] = t;
		} else if (kind < 70) { // re-split a sum
			int i = rnd(Q.n);
			if (Q.p[i].is_and)
				continue;
			int k = rnd(i + 8);
			V a = k < 8 ? 1ull << k : Q.p[k - 8].d;
			V b = Q.p[i].d ^ a;
			if (!b || !a)
				continue;
			bool ok = (b & (b - 1)) == 0 && b < 256;
			for (int m = 0; m < i && !ok; m++)
				ok = Q.p[m].d == b;
			if (!ok)
				continue;
			Q.p[i].a = a;
			Q.p[i].b = b;
		} else if (kind < 88) { // recompute: choose a use and insert a computation of it before
			if (Q.n >= MAXN - 2)
				continue;
			int i = rnd(Q.n);
			V v = rnd(2) ? Q.p[i].a : Q.p[i].b;
			if (rnd(8) == 0) {
				int k1 = rnd(i + 8), k2 = rnd(i + 8);
				V a = k1 < 8 ? 1ull << k1 : Q.p[k1 - 8].d, b = k2 < 8 ? 1ull << k2 : Q.p[k2 - 8].d;
				v = a ^ b;
				if (!v)
					continue;
			}
			int back = rnd(4);
			int at = max(0, i - back);
			int k = rnd(at + 8);
			V a = k < 8 ? 1ull << k : Q.p[k - 8].d;
			V b = v ^ a;
			if (!b || !a)
				continue;
			if (__builtin_popcountll(v) == 1 && v >= 256) {
			}
			bool ok = (b & (b - 1)) == 0 && b < 256;
			for (int m = 0; m < at && !ok; m++)
				ok = Q.p[m].d == b;
			if (!ok)
				continue;
			memmove(Q.p + at + 1, Q.p + at, (Q.n - at) * sizeof(Ins));
			Q.p[at] = {v, a, b, 0};
			Q.n++;
		} else { // delete a duplicate or unused
			int i = rnd(Q.n);
			if (Q.p[i].is_and)
				continue;
			memmove(Q.p + i, Q.p + i + 1, (Q.n - i - 1) * sizeof(Ins));
			Q.n--;
		}
		double c2 = evaluate(Q, nullptr);
		if (c2 >= 1e9)
			continue;
		if (c2 <= cur || exp((cur - c2) / T) * 4294967296.0 > rnd() * 1.0) {
			P = Q;
			cur = c2;
			if (cur < best - 1e-9) {
				best = cur;
				B = P;
				save(B, best, argv[5]);
			}
		}
	}
	printf("best %g (%d ops), %llu steps\n", best, B.n, (unsigned long long)it);
}
