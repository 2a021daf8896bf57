// Builds the images of the relocation tests: test/native/relocate/moving.c and a set of code that moves, for QEMU.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Image } from "../../tools/analysis/image.ts";
import { bearsslFolder } from "../../tools/bearssl.mjs";
import { pericardRoot, readBoard } from "../../tools/build/board.ts";
import { cacheDirectory } from "../../tools/build/cache.ts";
import { Compiler, type ObjectFile, type Source } from "../../tools/build/cc.ts";
import { runTool } from "../../tools/build/process.ts";
import {
	checkRelocation,
	planRelocation,
	type RelocationPlan,
	type SetObject,
	undefinedNames,
} from "../../tools/build/relocation.ts";

export interface MovingOptions {
	/** With SHA-512, X25519 and Ed25519. */
	readonly with25519: boolean;
	/** More flags for the files of the set. */
	readonly cflags?: readonly string[];
	/** Nothing moves: the same code is executed in flash. For comparisons. */
	readonly fixed?: boolean;
}

export interface MovingImage {
	readonly image: Image;
	readonly plan: RelocationPlan | undefined;
	/** The canonical code. */
	readonly code: Buffer;
	/** Objects of the set, as they were compiled. */
	readonly set: readonly SetObject[];
	/** Links the same objects again, by the text of another script. Gives the ELF file. */
	relink(script: (text: string) => string): Promise<string>;
}

const kernels = [
	"aes.c",
	"aes-armv7em.S",
	"ghash-armv7em.S",
	"sha256.c",
	"sha256-armv7em.S",
	"p256.c",
	"p256-armv7em.S",
];
const kernels25519 = [
	"25519.c",
	"25519-armv7em.S",
	"25519-base.c",
	"ed25519.c",
	"x25519.c",
	"sha512.c",
	"sha512-armv7em.S",
];
const others = [
	"native/crypto/crypto.c",
	"native/cbor/cbor.c",
	"native/measure/measure.c",
	"native/attestation/token.c",
];
const library = ["aead/ccm.c", "aead/gcm.c", "codec/ccopy.c", "codec/dec32be.c", "codec/enc32be.c"];
const libraryToo = ["kdf/hkdf.c", "mac/hmac.c", "rand/hmac_drbg.c"];
const rest = [
	"hosts/cortex-m/startup.c",
	"hosts/cortex-m/mpu.c",
	"hosts/cortex-m/fibre.c",
	"hosts/cortex-m/arena.c",
	"native/relocate/relocate.c",
	"native/relocate/table.c",
	"native/crc/crc.c",
	"native/entropy/stream.c",
	"native/crypto/kernels/spend.c",
	"native/crypto/selftest.c",
	"native/crypto/selftest-answers.c",
	"test/native/relocate/answers.c",
	"test/native/relocate/moving.c",
];
const tables = ["native/crypto/kernels/25519-table.c"];
const folders = ["archive", "attestation", "cbor", "crc", "crypto", "entropy", "measure", "relocate"];

/* Of an arena: a block of eight parts, some of which make a half. */
const sizes = (with25519: boolean) =>
	with25519
		? { blockLog2: 17, parts: 3, codeLog2: 16, stateLog2: 12 }
		: { blockLog2: 16, parts: 4, codeLog2: 15, stateLog2: 12 };

const made: string[] = [];

/** Removes all images. */
export function removeImages(): void {
	for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
}

/** Builds an image; whoever does calls removeImages() when done. */
export async function movingImage(options: MovingOptions): Promise<MovingImage> {
	const { with25519, cflags = [], fixed = false } = options;
	const { blockLog2, parts, codeLog2, stateLog2 } = sizes(with25519);
	const halfSize = (2 ** blockLog2 / 8) * parts;
	const plain = readBoard("mps2-an386");
	const defines = [
		`-DWITH_25519=${Number(with25519)}`,
		`-DHALF_SIZE=${halfSize}u`,
		"-DARENA_ADDRESS=0x20020000u",
		`-DBLOCK_LOG2=${blockLog2}`,
		`-DHALF_PARTS=${parts}`,
		`-DSTATE_LOG2=${stateLog2}`,
		`-DCODE_LOG2=${codeLog2}`,
	];
	const compile = (sources: readonly Source[], flags: readonly string[]): Promise<ObjectFile[]> =>
		new Compiler({
			board: { ...plain, cflags: [...plain.cflags, ...flags] },
			sanitize: false,
			generated: cacheDirectory("images", "generated"),
			app: pericardRoot,
			include: folders.map((folder) => join(pericardRoot, "native", folder)),
			progress: () => {},
		}).compile(sources);
	const own = (file: string): Source => ({ file: join(pericardRoot, file), kind: "native", component: "native:x" });
	const foreign = (file: string): Source => ({
		file: join(bearsslFolder(), "src", file),
		kind: "library",
		component: "native:x",
	});
	const inSet = [
		...[...kernels, ...(with25519 ? kernels25519 : [])].map((name) => own(`native/crypto/kernels/${name}`)),
		...others.map(own),
		...[...library, ...libraryToo].map(foreign),
	];
	const label = (file: string): string =>
		file.startsWith(pericardRoot)
			? file.slice(pericardRoot.length + 1)
			: `bearssl${file.slice(bearsslFolder().length)}`;
	const read = (objects: readonly ObjectFile[]): SetObject[] =>
		objects.map(({ source, object }) => ({ label: label(source.file), bytes: readFileSync(object) }));
	const set = read(await compile(inSet, cflags));
	const outside = read(await compile([...rest, ...tables].map(own), defines));

	const dir = mkdtempSync(join(tmpdir(), "pericard-moving-"));
	made.push(dir);
	const plan = fixed ? undefined : planRelocation(set, undefinedNames(outside), { halfSize });
	const files: string[] = [];
	for (const [index, { bytes }] of [...(plan?.objects ?? set), ...outside].entries()) {
		const file = join(dir, `${index}.o`);
		writeFileSync(file, bytes);
		files.push(file);
	}
	const source = join(dir, "relocation.S");
	const none = [".text", ".global pc_dispatch, pc_relocation_layouts, pc_relocation_data, pc_relocation_data_end"];
	none.push("pc_dispatch:", "pc_relocation_layouts:", "pc_relocation_data:", "pc_relocation_data_end:");
	writeFileSync(source, plan?.source ?? `${none.join("\n")}\n`);
	const text = readFileSync(join(pericardRoot, "test/native/relocate/moving.ld"), "utf8");
	const entries = [
		...readFileSync(join(pericardRoot, "test/native/relocate/moving.c"), "utf8").matchAll(
			/^(?:__attribute__\(\((?:naked, )?noinline\)\) )?(?:uint32_t|void) (\w+)\((?!\w+ \*context)/gm,
		),
	];
	const symbols = { __half_size: halfSize, __block_size: 2 ** blockLog2, __code_size: 2 ** codeLog2 };
	const flags = [
		...[...plain.cflags, "--specs=nano.specs", "-nostartfiles", "-g", "-Wl,--gc-sections", "-Wl,--build-id=none"],
		...["-Wl,--fatal-warnings", "-Wl,--no-warn-rwx-segments", "-Wl,-z,noexecstack"],
		...Object.entries({ ...symbols, __state_size: 2 ** stateLog2 }).map(
			([key, value]) => `-Wl,--defsym=${key}=${value}`,
		),
		...entries.map(([, entry]) => `-Wl,--require-defined=${entry}`),
	];
	let links = 0;
	const relink = async (change: (text: string) => string): Promise<string> => {
		const script = join(dir, `${links}.ld`);
		const elf = join(dir, `${links++}.elf`);
		writeFileSync(script, change(text));
		const args = [...flags, "-T", script, ...files, source, "-lm", "-o", elf];
		const result = await runTool("arm-none-eabi-gcc", args);
		if (result.code !== 0) throw new Error(`the image does not link\n${result.stderr}`);
		return elf;
	};
	const elf = await relink((script) => script);
	if (plain.ram === undefined) throw new Error("no memory");
	const code = plan === undefined ? Buffer.alloc(0) : checkRelocation(readFileSync(elf), elf, plan);
	return { image: new Image(elf, plain.ram), plan, code, set, relink };
}
