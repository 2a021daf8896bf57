// The engines over peripherals: on models of the peripherals on this machine, with the sanitizers; and all of native/crypto
// compiled for the ESP32-C3.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bearssl, bearsslFolder } from "../../tools/bearssl.mjs";
import { pericardRoot, readBoard } from "../../tools/build/board.ts";
import { cacheDirectory } from "../../tools/build/cache.ts";
import { Compiler } from "../../tools/build/cc.ts";
import { mapParallel, runTool } from "../../tools/build/process.ts";

const core = join(pericardRoot, "native/crypto");
const models = join(pericardRoot, "test/native/crypto/peripherals");
const dir = mkdtempSync(join(tmpdir(), "pericard-peripherals-"));

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const cFiles = (folder: string) =>
	readdirSync(folder)
		.filter((name) => name.endsWith(".c") && !name.startsWith("xs_"))
		.map((name) => join(folder, name));
const ours = ["", "kernels", "peripherals"].flatMap((folder) => cFiles(join(core, folder)));
const manifest = readFileSync(join(core, "manifest.json"), "utf8");
const library = [...manifest.matchAll(/"\$\(BEARSSL\)\/([\w/]+\.c)"/g)].map(([, path]) =>
	join(bearsslFolder(), path as string),
);

async function tool(program: string, args: readonly string[]): Promise<string> {
	const { code, stdout, stderr } = await runTool(program, args);
	if (code !== 0) throw new Error(`${program} failed\n${stderr}${stdout}`);
	return stdout;
}

/** The scenarios with the engines and the model of one choice of peripherals/choice.h. */
async function scenarios(choice: string, model: string): Promise<string> {
	const plain = readBoard("posix");
	const board = { ...plain, cflags: [...plain.cflags, "-Wconversion"] };
	const compiler = new Compiler({
		board,
		sanitize: true,
		generated: cacheDirectory("images", "generated"),
		app: pericardRoot,
		include: [core],
		progress: () => {},
	});
	// What doesn't look at the choice is the same object as in other tests.
	const chooses = (file: string) => !file.includes("/kernels/") || basename(file) === "p256-portable.c";
	const tests = ["scenarios.c", "plain.c", model].map((name) => join(models, name));
	const objects = await compiler.compile([
		...library.map((file) => ({ file, kind: "library", component: "" }) as const),
		...[...ours, ...tests].map(
			(file) => ({ file, kind: "native", component: "", cflags: chooses(file) ? [`-D${choice}=1`] : [] }) as const,
		),
	]);
	const program = join(dir, choice);
	const flags = [...board.cflags, "-no-pie", "-fsanitize=address,undefined"];
	await tool("gcc", [...flags, ...objects.map(({ object }) => object), "-o", program]);
	return program;
}

/** Title, and the scenario of scenarios.c. */
type Scenario = readonly [title: string, name: string];

const aes: readonly Scenario[] = [
	["agrees with FIPS 197 in CTR and CBC-MAC, at every length and across the counter's end", "aes-agrees"],
	["leaves short messages to software", "aes-short"],
	["computes SP 800-38C's long example, and GCM as software does", "aead"],
	["gives the right result if it lies, from whatever block on, and isn't used again", "aes-wrong"],
	["gives the right result if it says it has ended and has done nothing", "aes-idle"],
	["gives the right result if it never answers", "aes-silent"],
	["gives the right result if somebody else has it, and is used again when it is free", "aes-taken"],
	["lets one wrong block among sixteen pass, unless it is the last", "aes-wrong-once"],
	["and then CCM refuses the message", "ccm-wrong-once"],
];

const esp32c3: readonly Scenario[] = [
	["SHA-256 agrees with FIPS 180-4 at every length, in pieces, and from a saved state", "sha-agrees"],
	["SHA-256 is right if the accelerator lies, does nothing or never answers, from whatever block on", "sha-fails"],
	["SHA-256 is right if somebody else has the accelerator", "sha-taken"],
	["multiplication for P-256 agrees with the software's, at the edges too, and signs RFC 6979's example", "mpi-agrees"],
	["a wrong product is seen at once, also a single one", "mpi-fails"],
	["multiplication is right if somebody else has the accelerator", "mpi-taken"],
	["what another system has taken isn't touched, and all that is taken is given back", "sharing"],
	["the model sees registers used in ways that the manual doesn't allow", "model-sees"],
];

describe.each([
	["AES behind hal.h (nRF52840)", "PC_ENGINE_AES_HAL", "hal-model.c", aes],
	["ESP32-C3", "PC_ENGINE_ESP32C3", "esp32c3-model.c", [...aes, ...esp32c3]],
] as const)("%s", (_, choice, model, all) => {
	let program: string;
	beforeAll(async () => {
		program = await scenarios(choice, model);
	}, 120_000);

	test.each(all)("%s", async (_, name) => {
		const { code, stdout, stderr } = await runTool(program, [name]);
		expect(`${stdout}${stderr}`).toBe("");
		expect(code).toBe(0);
	});
});

describe("compiled for the ESP32-C3 (RV32IMC)", () => {
	const prefix = "riscv64-unknown-elf";
	const target = ["-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs"];
	const all = join(dir, "native-crypto.o");

	beforeAll(async () => {
		const common = [...target, "-Os", "-ffunction-sections", "-fno-common", "-fno-strict-aliasing"];
		const strict = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-DPC_ENGINE_ESP32C3=1", `-I${core}`];
		const inc = join(bearsslFolder(), "inc");
		const objects = await mapParallel([...ours, ...library], async (file) => {
			const flags = ours.includes(file)
				? [...strict, "-isystem", inc]
				: [...bearssl.cflags, `-I${inc}`, `-I${join(bearsslFolder(), "src")}`];
			const object = join(dir, `rv32-${basename(file)}.o`);
			await tool(`${prefix}-gcc`, [...common, ...flags, "-c", file, "-o", object]);
			return object;
		});
		await tool(`${prefix}-ld`, ["-m", "elf32lriscv", "-r", ...objects, "-o", all]);
	}, 120_000);

	test("asks for nothing of a system but memcpy and its like", async () => {
		const undefinedSymbols = (await tool(`${prefix}-nm`, ["-u", all])).match(/\bU \w+/g) ?? [];
		const names = undefinedSymbols.map((line) => line.slice(2));
		const allowed = new Set(["memcpy", "memmove", "memset", "memcmp", "strlen"]);
		// What GCC calls by itself, out of libgcc: __udivdi3, __ashldi3, ...
		expect(names.filter((name) => !allowed.has(name) && !/^__\w+[sd]i\d$/.test(name))).toEqual([]);
		expect(names).toContain("memcpy");
	});

	test("links with picolibc and libgcc alone", async () => {
		const program = join(dir, "linked.elf");
		const roots = ["pc_ecdsa_sign", "pc_ecdsa_verify", "pc_aes_ccm_encrypt", "pc_aes_gcm_decrypt", "pc_sha256_end"];
		const wanted = roots.map((name) => `-Wl,-u,${name}`);
		await tool(`${prefix}-gcc`, [...target, "-nostartfiles", "-Wl,-e,pc_ecdsa_sign", ...wanted, all, "-o", program]);
		const symbols = await tool(`${prefix}-nm`, [program]);
		for (const name of [...roots, "pc_esp32c3_sha256_vtable", "pc_aes_peripheral", "pc_p256_mul_software"]) {
			expect(symbols).toMatch(new RegExp(`\\b${name}\\n`));
		}
		expect(symbols).not.toContain("pc_esp32c3_model");
	});

	test("reaches registers by plain loads and stores of words", async () => {
		const code = await tool(`${prefix}-objdump`, ["-d", "--disassemble=pc_esp32c3_wait", all]);
		expect(code).toMatch(/\blw\b/);
		expect(code).not.toMatch(/\b(jal|jalr|lb|lh|lbu|lhu)\b/);
	});
});
