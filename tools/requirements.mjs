// The programs that Pericard needs on a machine: how to see that each is there, its version, and who brings it.
//
// Plain JavaScript without dependencies: tools/setup.mjs reads it before anything is installed, `pericard doctor` after.
// (Types: requirements.d.mts.)

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bearssl, bearsslAdvice, bearsslFolder, bearsslProblem } from "./bearssl.mjs";

const CORTEX_M4F = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"];

/** Where a program is on PATH. Looked up, not started: starting every tool would cost more than all the rest. */
export function which(program) {
	for (const folder of (process.env.PATH ?? "").split(":")) {
		if (folder !== "" && existsSync(join(folder, program))) return join(folder, program);
	}
	return undefined;
}

function output(program, args) {
	const result = spawnSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
	return result.status === 0 ? result.stdout.trim() : undefined;
}

/** The first number with dots in what the program prints. */
function versionOf(program, ...args) {
	return output(program, args)?.match(/\d+\.\d+(\.\d+)*/)?.[0];
}

const newlib = () => {
	// A file that the compiler does not find is printed as its bare name.
	const path =
		which("arm-none-eabi-gcc") && output("arm-none-eabi-gcc", [...CORTEX_M4F, "-print-file-name=libc_nano.a"]);
	return path?.startsWith("/") ? path : undefined;
};

const picolibc = () => {
	const path =
		which("riscv64-unknown-elf-gcc") && output("riscv64-unknown-elf-gcc", ["-print-file-name=picolibc.specs"]);
	return path?.startsWith("/") ? path : undefined;
};

const clangRuntime = () => {
	const resources = which("clang") && output("clang", ["-print-resource-dir"]);
	if (!resources || !existsSync(join(resources, "lib"))) return undefined;
	const file = readdirSync(join(resources, "lib"), { recursive: true }).find((name) =>
		/libclang_rt\.fuzzer[-.]/.test(name),
	);
	return file && join(resources, "lib", file);
};

const hostCompiler = () => {
	const path = which("gcc");
	// The compiler alone cannot link: it needs the C library's start-up files.
	return path && existsSync(output("gcc", ["-print-file-name=crt1.o"]) ?? "") ? path : undefined;
};

const moddable = () => {
	const folder = process.env.MODDABLE;
	return folder && existsSync(join(folder, "xs", "includes")) ? folder : undefined;
};

function moddableVersion() {
	try {
		return JSON.parse(readFileSync(join(process.env.MODDABLE ?? "", "package.json"), "utf8")).version;
	} catch {
		return undefined;
	}
}

export const requirements = [
	{
		id: "gcc",
		name: "gcc and the C library",
		need: "build",
		purpose: "the XS compiler of this machine, and the posix board",
		packages: () => ["gcc", "libc6-dev"],
		find: hostCompiler,
		version: () => versionOf("gcc", "-dumpfullversion"),
	},
	{
		id: "arm-gcc",
		name: "arm-none-eabi-gcc",
		need: "build",
		purpose: "firmware for the Cortex-M boards",
		packages: () => ["gcc-arm-none-eabi"],
		find: () => which("arm-none-eabi-gcc"),
		version: () => versionOf("arm-none-eabi-gcc", "-dumpfullversion"),
	},
	{
		id: "newlib",
		name: "newlib for ARM",
		need: "build",
		purpose: "the C library of the Cortex-M boards",
		packages: () => ["libnewlib-arm-none-eabi"],
		find: newlib,
		version: () => undefined,
	},
	{
		id: "qemu",
		name: "qemu-system-arm",
		need: "build",
		purpose: "runs the firmware of mps2-an386",
		packages: () => ["qemu-system-arm"],
		find: () => which("qemu-system-arm"),
		version: () => versionOf("qemu-system-arm", "--version"),
	},
	{
		id: "bearssl",
		name: "BearSSL's sources",
		need: "build",
		purpose: "the cryptography of every board",
		// Not installed: set-up fetches the source package into the cache folder.
		packages: () => [],
		hint: bearsslAdvice(),
		find: () => (bearsslProblem() === undefined ? bearsslFolder() : undefined),
		version: () => bearssl.version,
	},
	{
		id: "clang",
		name: "clang",
		need: "test",
		purpose: "the fuzzers",
		packages: () => ["clang"],
		find: () => which("clang"),
		version: () => versionOf("clang", "--version"),
	},
	{
		id: "clang-format",
		name: "clang-format",
		need: "test",
		purpose: "checks the format of the C code",
		packages: () => ["clang-format"],
		find: () => which("clang-format"),
		version: () => versionOf("clang-format", "--version"),
	},
	{
		id: "clang-runtime",
		name: "clang's sanitizers and fuzzer",
		need: "test",
		purpose: "the fuzzers",
		// The package's name carries clang's version, so it is known only once clang is there.
		after: "clang",
		packages: () => [`libclang-rt-${versionOf("clang", "--version")?.split(".")[0] ?? "14"}-dev`],
		find: clangRuntime,
		version: () => undefined,
	},
	{
		id: "riscv-gcc",
		name: "riscv64-unknown-elf-gcc",
		need: "test",
		purpose: "compiles the cryptography for the ESP32-C3, and code that moves on RV32",
		packages: () => ["gcc-riscv64-unknown-elf"],
		find: () => which("riscv64-unknown-elf-gcc"),
		version: () => versionOf("riscv64-unknown-elf-gcc", "-dumpfullversion"),
	},
	{
		id: "picolibc",
		name: "picolibc for RISC-V",
		need: "test",
		purpose: "the C library of that",
		packages: () => ["picolibc-riscv64-unknown-elf"],
		find: picolibc,
		version: () => undefined,
	},
	{
		id: "riscv-qemu",
		name: "qemu-system-riscv32",
		need: "test",
		purpose: "runs code that moves on RV32",
		packages: () => ["qemu-system-misc"],
		find: () => which("qemu-system-riscv32"),
		version: () => versionOf("qemu-system-riscv32", "--version"),
	},
	{
		id: "renode",
		name: "Renode",
		need: "optional",
		purpose: "runs nrf52840dk, and mps2-an386 with --emulator renode",
		packages: () => [],
		hint: "Renode 1.16 or later as `renode` on PATH (github.com/renode/renode)",
		find: () => which("renode"),
		// Starting Renode takes seconds, so its version is not asked.
		version: () => undefined,
	},
	{
		id: "moddable",
		name: "Moddable SDK",
		need: "optional",
		purpose: "builds for the boards of the SDK (esp32, zephyr)",
		packages: () => [],
		hint: "clone github.com/Moddable-OpenSource/moddable and set MODDABLE to the folder",
		find: moddable,
		version: moddableVersion,
	},
];

/** True where apt-get can install what is missing. */
export function isDebian() {
	if (process.platform !== "linux" || which("apt-get") === undefined) return false;
	try {
		return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync("/etc/os-release", "utf8"));
	} catch {
		return false;
	}
}

/** True when node_modules of `root` holds exactly the versions of its package-lock.json (optional ones may be left out). */
export function npmPackagesPresent(root) {
	if (!existsSync(join(root, "package-lock.json"))) return true; // installed as a package: npm has done it
	let wanted;
	let installed;
	try {
		wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
		installed = JSON.parse(readFileSync(join(root, "node_modules", ".package-lock.json"), "utf8")).packages;
	} catch {
		return false;
	}
	return Object.entries(wanted).every(([path, entry]) => {
		const found = installed[path];
		if (path === "") return true;
		if (found === undefined) return entry.optional === true;
		return found.version === entry.version && existsSync(join(root, path));
	});
}
