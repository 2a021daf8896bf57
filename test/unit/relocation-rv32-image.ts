// Builds the image of the relocation tests for RV32: test/native/relocate/rv32.c and a set of code that moves, for QEMU.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { bearssl, bearsslFolder } from "../../tools/bearssl.mjs";
import { pericardRoot } from "../../tools/build/board.ts";
import { mapParallel, runTool } from "../../tools/build/process.ts";
import {
	checkRelocation,
	planRelocation,
	type RelocationPlan,
	type SetObject,
	undefinedNames,
} from "../../tools/build/relocation.ts";
import { rv32Tools, scratch } from "./relocation-native.ts";

export interface Rv32Image {
	readonly elf: string;
	readonly plan: RelocationPlan;
	/** The canonical code. */
	readonly code: Buffer;
	/** Links the same objects again, by the text of another script. Gives the ELF file. */
	relink(script: (text: string) => string): Promise<string>;
}

export const halfSize = 65536;

const kernels = ["aes.c", "aes-portable.c", "ghash-portable.c", "sha256.c", "sha256-portable.c", "p256.c"];
const set = [
	...[...kernels, "p256-portable.c"].map((name) => `native/crypto/kernels/${name}`),
	"native/crypto/crypto.c",
	"native/cbor/cbor.c",
	"native/measure/measure.c",
	"native/attestation/token.c",
];
const library = ["aead/ccm.c", "aead/gcm.c", "codec/ccopy.c", "codec/dec32be.c", "codec/enc32be.c"];
const libraryToo = ["kdf/hkdf.c", "mac/hmac.c", "rand/hmac_drbg.c"];
const rest = [
	"native/relocate/relocate.c",
	"native/relocate/table.c",
	"native/crc/crc.c",
	"native/entropy/stream.c",
	"native/crypto/kernels/spend.c",
	"native/crypto/selftest.c",
	"native/crypto/selftest-answers.c",
	"test/native/relocate/answers.c",
	"test/native/relocate/rv32.c",
	"test/native/relocate/rv32.S",
];
const folders = ["archive", "attestation", "cbor", "crc", "crypto", "entropy", "measure", "relocate"];

const target = [...rv32Tools.cflags, "--specs=picolibc.specs"];
/* What refers to data goes by the place where it is: with the other model, only calls would be patched. */
const model = "-mcmodel=medany";
const common = [
	...target,
	model,
	"-Os",
	"-ffunction-sections",
	"-fdata-sections",
	"-fno-common",
	"-fno-strict-aliasing",
];
const strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", `-DHALF_SIZE=${halfSize}u`, "-DWITH_25519=0"];

async function tool(program: string, args: readonly string[]): Promise<void> {
	const { code, stderr } = await runTool(program, args);
	if (code !== 0) throw new Error(`${program} failed\n${stderr}`);
}

/** In the folder of scratch files. */
export async function rv32Image(): Promise<Rv32Image> {
	const gcc = `${rv32Tools.prefix}-gcc`;
	const inc = join(bearsslFolder(), "inc");
	const compile = async (label: string, file: string, flags: readonly string[]): Promise<SetObject> => {
		const object = join(scratch, `rv32-${basename(file)}.o`);
		await tool(gcc, [...common, ...flags, "-c", file, "-o", object]);
		return { label, bytes: readFileSync(object) };
	};
	const own = (file: string): Promise<SetObject> => {
		const include = folders.map((folder) => `-I${join(pericardRoot, "native", folder)}`);
		/* What touches control and status registers says so. */
		const more = file.endsWith("/rv32.c") ? ["-march=rv32imc_zicsr_zifencei", "-std=gnu11"] : [];
		return compile(file, join(pericardRoot, file), [...strict, ...include, "-isystem", inc, ...more]);
	};
	const foreign = (file: string): Promise<SetObject> => {
		const include = [`-I${inc}`, `-I${join(bearsslFolder(), "src")}`];
		return compile(`bearssl/src/${file}`, join(bearsslFolder(), "src", file), [...bearssl.cflags, ...include]);
	};
	const inSet = [...(await mapParallel(set, own)), ...(await mapParallel([...library, ...libraryToo], foreign))];
	const outside = await mapParallel(rest, own);
	const plan = planRelocation(inSet, undefinedNames(outside), { halfSize });
	const files = [...plan.objects, ...outside].map(({ bytes }, index) => {
		const file = join(scratch, `rv32-${index}.o`);
		writeFileSync(file, bytes);
		return file;
	});
	const source = join(scratch, "rv32-relocation.S");
	writeFileSync(source, plan.source);
	const text = readFileSync(join(pericardRoot, "test/native/relocate/rv32.ld"), "utf8");
	const entry = plan.entries.findIndex(({ name }) => name === "pc_sha256_begin");
	const flags = [
		...[...target, "-nostartfiles", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--no-relax"],
		...["-Wl,--fatal-warnings", "-Wl,--no-warn-rwx-segments"],
		...[`-Wl,--defsym=__half_size=${halfSize}`, `-Wl,--defsym=sha256_begin_entry=${entry}`],
	];
	let links = 0;
	const relink = async (change: (text: string) => string): Promise<string> => {
		const script = join(scratch, `rv32-${links}.ld`);
		const elf = join(scratch, `rv32-${links++}.elf`);
		writeFileSync(script, change(text));
		await tool(gcc, [...flags, "-T", script, ...files, source, "-o", elf]);
		return elf;
	};
	const elf = await relink((script) => script);
	return { elf, plan, code: checkRelocation(readFileSync(elf), elf, plan), relink };
}
