#!/usr/bin/env node
// Installs what Pericard needs on this machine: its npm packages, a C compiler, the ARM tool-chain, QEMU, and the sources of
// BearSSL.
//
// Plain JavaScript without dependencies, because it runs before anything is installed. When nothing is missing it says
// so and is done at once, so that `npm run demo` and `npm test` can call it every time.
//
//   node tools/setup.mjs           install what building and running need
//   node tools/setup.mjs --test    also what only the tests and the linter need (clang, clang-format, GCC for RISC-V)
//   node tools/setup.mjs --check   install nothing, say what is missing
//
// Exit code: 0 nothing is missing (any more), 2 something is.

import { spawn, spawnSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { bearssl, bearsslAdvice, bearsslCache, bearsslProblem, cacheRoot } from "./bearssl.mjs";
import { isDebian, npmPackagesPresent, requirements, which } from "./requirements.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs one long step: a line when it starts, a line with the time it took when it ends, its output only on failure. */
async function step(title, command, args, options = {}) {
	const start = Date.now();
	const elapsed = () => `${((Date.now() - start) / 1000).toFixed(0)} s`;
	const live = process.stdout.isTTY && !options.interactive;
	process.stdout.write(live ? `  ${title} ...` : `  ${title} ...\n`);
	const child = spawn(command, args, {
		cwd: options.cwd ?? root,
		env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
		stdio: [options.interactive ? "inherit" : "ignore", "pipe", "pipe"],
	});
	let text = "";
	const keep = (chunk) => {
		text = (text + chunk).slice(-20_000);
	};
	child.stdout.on("data", keep);
	child.stderr.on("data", (chunk) => {
		keep(chunk);
		// sudo's question for a password must be seen.
		if (options.interactive) process.stderr.write(chunk);
	});
	// In a terminal the line counts; elsewhere a line a quarter minute shows that it still runs.
	const ticker = setInterval(
		() => process.stdout.write(live ? `\r  ${title} ... ${elapsed()}` : `  ${title} ... ${elapsed()}\n`),
		live ? 1000 : 15_000,
	);
	const status = await new Promise((resolve) => {
		child.on("error", () => resolve(127));
		child.on("close", (code) => resolve(code ?? 1));
	});
	clearInterval(ticker);
	process.stdout.write(`${live ? "\r" : ""}  ${title} ... ${status === 0 ? "done" : "failed"} in ${elapsed()}\n`);
	return { ok: status === 0, text };
}

const packagesOf = (missing) => [...new Set(missing.flatMap((tool) => tool.packages()))];

function explain(missing) {
	const packages = packagesOf(missing).join(" ");
	console.error("\nMissing:");
	for (const tool of missing) console.error(`  ${tool.name}`);
	if (missing.some((tool) => tool.id === "bearssl")) console.error(`\n${bearsslProblem()}\n${bearsslAdvice()}`);
	if (packages === "") return;
	if (isDebian()) {
		console.error(`\nInstall with:\n  sudo apt-get install --no-install-recommends ${packages}`);
	} else {
		console.error(`\nThis system is not Debian or Ubuntu, so nothing was installed. What is needed, by hand:
  gcc or clang as \`gcc\`, with the C library's headers
  arm-none-eabi-gcc 12 or later with newlib (the "Arm GNU Toolchain", bare-metal arm-none-eabi)
  qemu-system-arm 7.2 or later, built with plugins
  for \`npm test\` also: clang, clang-format and clang's compiler-rt; riscv64-unknown-elf-gcc with picolibc;
    qemu-system-riscv32
and all of them on PATH. (Debian's packages: ${packages})`);
	}
}

/** The words before `apt-get`: nothing for root, sudo for others, after asking. */
async function privilege(packages) {
	if (process.getuid() === 0) return [];
	if (which("sudo") === undefined) return undefined;
	if (spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0 && !process.stdin.isTTY)
		return ["sudo", "-n"];
	if (!process.stdin.isTTY) return undefined;
	const ask = createInterface({ input: process.stdin, output: process.stdout });
	const answer = await ask.question(`Install ${packages.join(" ")} with sudo? [Y/n] `);
	ask.close();
	return /^(y|yes|)$/i.test(answer.trim()) ? ["sudo"] : undefined;
}

async function aptInstall(packages) {
	const prefix = await privilege(packages);
	if (prefix === undefined) return false;
	const apt = (title, ...args) => {
		const command = [
			...prefix,
			...(prefix.length ? ["DEBIAN_FRONTEND=noninteractive"] : []),
			"apt-get",
			"-qq",
			"-o",
			"DPkg::Lock::Timeout=120",
			...args,
		];
		return step(title, command[0], command.slice(1), { interactive: prefix[0] === "sudo" });
	};
	const update = () => apt("Reading Debian's package lists", "update");
	const install = () =>
		apt(`Installing ${packages.join(" ")}`, "install", "--yes", "--no-install-recommends", ...packages);
	const lists = "/var/lib/apt/lists";
	const haveLists = existsSync(lists) && readdirSync(lists).some((file) => /_Packages/.test(file));
	if (!haveLists) await update();
	let result = await install();
	if (!result.ok && haveLists) {
		// Old lists name versions that are gone: read them anew and try once more.
		await update();
		result = await install();
	}
	if (!result.ok) console.error(`\n${result.text.trim()}`);
	return result.ok;
}

/** The values that apt is configured with: "a" of names { A: "Dir::A/f" } gives { A: "/etc/..." }. */
function aptConfiguration(names) {
	const words = Object.entries(names).flat();
	const result = spawnSync("apt-config", ["shell", ...words], { encoding: "utf8" });
	const values = (result.stdout ?? "").matchAll(/^(\w+)='(.*)'$/gm);
	return Object.fromEntries([...values].map(([, name, value]) => [name, value]));
}

/** This machine's own sources of packages as sources of source packages: [name of the file, its text]. */
function sourceEntries() {
	const { LIST, PARTS } = aptConfiguration({ LIST: "Dir::Etc::sourcelist/f", PARTS: "Dir::Etc::sourceparts/d" });
	const parts = PARTS && existsSync(PARTS) ? readdirSync(PARTS).map((name) => join(PARTS, name)) : [];
	const files = [LIST, ...parts.sort()].filter((file) => file && /\.(list|sources)$/.test(file) && existsSync(file));
	const lines = new Set(); // one-line style: deb [options] uri suite component...
	const stanzas = new Set(); // deb822 style: fields, an empty line between two entries
	for (const file of files) {
		const text = readFileSync(file, "utf8");
		if (file.endsWith(".list")) {
			for (const line of text.split("\n")) {
				const entry = /^\s*deb(?:-src)?\s+(.*)$/.exec(line)?.[1];
				if (entry !== undefined && !/^(\[.*?\]\s*)?cdrom:/.test(entry)) lines.add(`deb-src ${entry}`);
			}
		} else {
			for (const stanza of text.split(/\n(?:[ \t]*\n)+/)) {
				if (/^types:.*\bdeb/im.test(stanza)) stanzas.add(stanza.trim().replace(/^types:.*$/im, "Types: deb-src"));
			}
		}
	}
	return [
		["pericard.list", `${[...lines].join("\n")}\n`],
		["pericard.sources", `${[...stanzas].join("\n\n")}\n`],
	];
}

/**
 * Fetches BearSSL's sources: the distribution's source package, by apt-get, out of the archives that this machine takes its
 * packages from. Lists and downloads go to a folder of ours, so it needs no root and changes nothing of the system's.
 */
async function fetchBearssl() {
	mkdirSync(cacheRoot(), { recursive: true });
	const work = mkdtempSync(join(cacheRoot(), "fetch-"));
	const inside = (...names) => join(work, ...names);
	try {
		for (const folder of ["sources", "lists/partial", "cache/archives/partial", "package", "unpacked"]) {
			mkdirSync(inside(folder), { recursive: true });
		}
		for (const [name, text] of sourceEntries()) writeFileSync(inside("sources", name), text);
		const settings = [
			`Dir::Etc::SourceList "/dev/null";`,
			`Dir::Etc::SourceParts "${inside("sources")}";`,
			`Dir::State::Lists "${inside("lists")}";`,
			`Dir::Cache "${inside("cache")}";`,
			// The folder is the user's: apt's own user, which root's downloads go to, can't write there.
			'APT::Sandbox::User "root";',
			'Acquire::Languages "none";',
			// What the system does after its own updates is not to be done after ours.
			...["Pre-Invoke", "Post-Invoke", "Post-Invoke-Success"].map((hook) => `#clear APT::Update::${hook};`),
		];
		writeFileSync(inside("apt.conf"), `${settings.join("\n")}\n`);
		const apt = ["-c", inside("apt.conf"), "-qq"];
		// One archive of several may be out of reach; whether the package is to be had shows in the next step.
		const update = await step("Reading the lists of source packages", "apt-get", [...apt, "update"]);
		const source = ["source", "--download-only", "--tar-only", bearssl.package];
		const fetched = await step(`Fetching the source package ${bearssl.package}`, "apt-get", [...apt, ...source], {
			cwd: inside("package"),
		});
		const archive = readdirSync(inside("package")).find((name) => /\.orig\.tar\.\w+$/.test(name));
		if (!fetched.ok || archive === undefined) {
			console.error(`\n${`${update.ok ? "" : update.text}${fetched.text}`.trim()}`);
			return false;
		}
		const unpacked = await step(`Unpacking ${archive}`, "sh", [
			"-c",
			// apt's helper knows the compressions of Debian's archives; xz need not be installed.
			'{ /usr/lib/apt/apt-helper cat-file "$1" || xz -dc "$1"; } | tar -x --strip-components=1 --no-same-owner -C "$2" --wildcards "*/inc" "*/src" "*/LICENSE.txt"',
			"sh",
			inside("package", archive),
			inside("unpacked"),
		]);
		const problem = unpacked.ok ? bearsslProblem(inside("unpacked")) : unpacked.text.trim();
		if (problem !== undefined) {
			console.error(`\n${problem}\n${archive} is not what Pericard is built and tested with.`);
			return false;
		}
		rmSync(bearsslCache(), { recursive: true, force: true });
		renameSync(inside("unpacked"), bearsslCache());
		return true;
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
}

async function main(args) {
	for (const arg of args) {
		if (arg === "--help") {
			console.log("usage: node tools/setup.mjs [--test] [--check]\n");
			console.log(
				"Installs the npm packages, gcc, the ARM tool-chain, QEMU and BearSSL's sources (Debian and Ubuntu).",
			);
			console.log("  --test    also clang, clang-format and GCC for RISC-V, which only the tests and the linter need");
			console.log("  --check   install nothing; say what is missing and exit with 2 if something is");
			return 0;
		}
		if (arg !== "--test" && arg !== "--check") {
			console.error(`setup: unknown option ${arg} (there are --test, --check and --help)`);
			return 2;
		}
	}
	if (Number(process.versions.node.split(".")[0]) < 20) {
		console.error(`Pericard needs Node 20 or later; this is ${process.version}.`);
		return 2;
	}
	const check = args.includes("--check");
	const needs = args.includes("--test") ? ["build", "test"] : ["build"];
	const wanted = requirements.filter((tool) => needs.includes(tool.need));
	const absent = () => wanted.filter((tool) => tool.find() === undefined);
	const start = Date.now();
	let worked = false;

	if (!npmPackagesPresent(root)) {
		if (check) {
			console.error("Missing: the npm packages (npm ci --ignore-scripts)");
			if (absent().length > 0) explain(absent());
			return 2;
		}
		worked = true;
		const result = await step("Installing the npm packages", "npm", ["ci", "--ignore-scripts", "--loglevel=error"]);
		if (!result.ok) {
			console.error(`\n${result.text.trim()}\n\nThe npm packages could not be installed (npm ci --ignore-scripts).`);
			return 2;
		}
	}

	let missing = absent();
	if (missing.length > 0 && !check && isDebian()) {
		worked = true;
		// Twice at most: what clang's run-time is called is known only once clang is there.
		for (let round = 0; round < 2 && missing.length > 0; round++) {
			const now = missing.filter((tool) => !missing.some((other) => other.id === tool.after));
			const packages = packagesOf(now);
			if (packages.length > 0 && !(await aptInstall(packages))) break;
			missing = absent();
		}
		// A folder that the user gave is the user's.
		if (missing.some((tool) => tool.id === "bearssl") && !process.env.BEARSSL && (await fetchBearssl()))
			missing = absent();
	}
	if (missing.length > 0) {
		explain(missing);
		return 2;
	}
	if (worked) console.log(`  Set-up done in ${((Date.now() - start) / 1000).toFixed(0)} s`);
	else if (check) console.log("Nothing is missing.");
	return 0;
}

process.exitCode = await main(process.argv.slice(2));
