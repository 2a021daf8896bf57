// `pericard attest`: asks a device what it runs, and judges the answer; or judges a token from elsewhere.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { boardNames, readBoard } from "../build/board.ts";
import type { Build } from "../build/build.ts";
import { displayPath } from "../build/errors.ts";
import type { Reference } from "../build/reference.ts";
import type { Device, Emulator } from "../harness/device.ts";
import { Challenger } from "../verifier/challenger.ts";
import type { Evidence } from "../verifier/evidence.ts";
import { DeviceKeys, type Enrolled, KeyError, parsePublicKey } from "../verifier/keys.ts";
import { NonceStore } from "../verifier/nonces.ts";
import { DEVICE_POLICY, demanding, EMULATED_POLICY, FOREIGN_POLICY, type Policy } from "../verifier/policy.ts";
import { parseCorim, parseReference, ReferenceValueError } from "../verifier/reference.ts";
import { type ComponentResult, toEar } from "../verifier/result.ts";
import { type AttestationResult, changedName, verify } from "../verifier/verifier.ts";
import { BUILD_OPTIONS, buildApp } from "./build.ts";
import { type Arguments, CliError, type Command, FAILED, OK } from "./command.ts";
import { describeFailure, type Origin } from "./failure.ts";
import { appFolder, DEFAULT_BOARD, findApp } from "./paths.ts";
import { type Progress, progressLines } from "./progress.ts";
import { chooseEmulator, isFailure, withDevice } from "./session.ts";
import { table } from "./table.ts";

/** The module that answers challenges on the device. */
const SERVICE = "pericard/attestation/service";

/** Emulated seconds that a device may take to start, make its key and say who it is; and to measure itself and sign. */
const IDENTIFY_SECONDS = 30;
const ATTEST_SECONDS = 60;

/** What was judged, and what of it goes into the answer. */
interface Appraised {
	readonly app: string | null;
	readonly board: string | null;
	readonly nonce: Uint8Array | undefined;
	readonly token: Uint8Array | undefined;
	readonly log: Uint8Array | undefined;
	readonly device: Enrolled | undefined;
	readonly result: AttestationResult;
}

/** The policy for a board: an emulated one has no hardware source of random numbers. */
export function policyFor(board: string): Policy {
	const emulated = boardNames().includes(board) && readBoard(board).emulated;
	return emulated ? EMULATED_POLICY : DEVICE_POLICY;
}

/** The policy for a board, or for a token of no known board, with what the words ask of code that moves. */
function choosePolicy(args: Arguments, board: string | undefined): Policy {
	const bits = args.number("relocation-bits");
	const seconds = args.number("relocation-age");
	return demanding(board === undefined ? FOREIGN_POLICY : policyFor(board), {
		...(bits === undefined ? {} : { bits }),
		...(seconds === undefined ? {} : { age: Math.round(seconds * 1000) }),
	});
}

function readInput(file: string, option: string): Buffer {
	if (!existsSync(file)) throw new CliError(`there is no file ${file}`, `${option} names a file`);
	if (statSync(file).isDirectory()) throw new CliError(`${file} is a folder`, `${option} names a file`);
	return readFileSync(file);
}

function readNonce(text: string): Uint8Array {
	const nonce = new Uint8Array(Buffer.from(text, "hex"));
	if (!/^([0-9a-f]{2})+$/i.test(text) || ![32, 48, 64].includes(nonce.length)) {
		throw new CliError("--nonce takes 32, 48 or 64 bytes in hex", "that is 64, 96 or 128 digits, as RFC 9783 has it");
	}
	return nonce;
}

function readKeys(file: string | undefined): DeviceKeys {
	const keys = new DeviceKeys();
	if (file === undefined) return keys;
	try {
		keys.enrol(parsePublicKey(readInput(file, "--key").toString("utf8")));
	} catch (error) {
		if (!(error instanceof KeyError)) throw error;
		throw new CliError(
			`${file} holds no key of a device: ${error.message}`,
			"--key takes a P-256 public key, as JWK or PEM",
		);
	}
	return keys;
}

function readReference(file: string): Reference {
	const data = readInput(file, "--reference");
	try {
		return extname(file) === ".corim" ? parseCorim(data) : parseReference(data.toString("utf8"));
	} catch (error) {
		if (!(error instanceof ReferenceValueError)) throw error;
		throw new CliError(
			`${file} holds no reference values: ${error.message}`,
			"--reference takes a .reference.json or a .corim of `pericard build`",
		);
	}
}

function hint(text: string): void {
	process.stderr.write(`hint: ${text}\n`);
}

/** Judges the token of a file. */
function appraiseFile(args: Arguments, file: string, references: readonly Reference[], app: string | null): Appraised {
	const token = new Uint8Array(readInput(file, "--token"));
	const logFile = args.text("log");
	const log = logFile === undefined ? undefined : new Uint8Array(readInput(logFile, "--log"));
	const keys = readKeys(args.text("key"));
	const asked = args.text("nonce");
	const challenge = asked === undefined ? undefined : readNonce(asked);
	const nonces = challenge === undefined ? undefined : new NonceStore();
	if (challenge !== undefined) nonces?.add(challenge);
	const [reference] = references;
	const result = verify({
		token,
		...(log === undefined ? {} : { log }),
		keys,
		references,
		...(nonces === undefined ? {} : { nonces }),
		...(challenge === undefined ? {} : { challenge }),
		policy: choosePolicy(args, reference?.board),
	});
	if (keys.all().length === 0) hint("--key names the public key of the device that the token should be of");
	else if (asked === undefined) hint("--nonce tells the challenge that the token should answer");
	const device = result.device ?? keys.all()[0];
	return { app, board: reference?.board ?? null, nonce: challenge ?? result.nonce, token, log, device, result };
}

/** Starts the image, makes the device known, and challenges it. */
async function appraiseDevice(
	args: Arguments,
	build: Build,
	emulator: Emulator,
	progress: Progress,
): Promise<Appraised | string[]> {
	if (!build.modules.includes(SERVICE)) {
		throw new CliError(
			`${build.name} can't be attested: it has no ${SERVICE}`,
			"put $(PERICARD)/manifests/attestation.json into the include of its manifest.json",
		);
	}
	const asked = args.text("nonce");
	const nonce = asked === undefined ? undefined : readNonce(asked);
	const keyFile = args.text("key");
	const keys = readKeys(keyFile);
	const seed = args.number("seed");
	if (seed !== undefined && !Number.isSafeInteger(seed)) throw new CliError(`--seed takes a whole number, not ${seed}`);
	const { ManagementClient } = await import("../harness/management.ts");
	progress(`starting ${build.board} in ${emulator}`);
	return withDevice(build, { emulator, ...(seed === undefined ? {} : { seed }) }, async (device) => {
		const client = new ManagementClient(device);
		const link = {
			identify: () => client.identify({ seconds: IDENTIFY_SECONDS }),
			attest: (bytes: Uint8Array) => client.attest(bytes, { seconds: ATTEST_SECONDS }),
		};
		const policy = choosePolicy(args, build.board);
		const challenger = new Challenger(link, { references: [build.reference], policy, keys });
		try {
			if (keyFile === undefined) {
				progress("enrolling the device by the key that it names");
				await challenger.enrol();
			}
			progress("challenging it");
			const answer = await challenger.attest(nonce);
			const enrolled = answer.result.device ?? keys.all()[0];
			const { token, log, result } = answer;
			return { app: build.name, board: build.board, nonce: answer.nonce, token, log, device: enrolled, result };
		} catch (error) {
			return noEvidence(error, device, { build, dir: appFolder(findApp(args.positionals[0] ?? "")) });
		}
	});
}

/** Lines that tell why a device gave no evidence: what it answered, and how it failed. Throws an error that is not about that. */
export function noEvidence(error: unknown, device: Device, origin: Origin): string[] {
	if (!(error instanceof Error) || !["Refusal", "AnswerError", "NoAnswerError", "KeyError"].includes(error.name)) {
		throw error;
	}
	const records = device.records();
	const failure = records.find(isFailure);
	const ended = records.some((record) => record.event === "end");
	return [
		`the device gave no evidence: ${error.message}`,
		...(failure === undefined ? [] : describeFailure(origin, failure)),
		...(ended ? ["hint: the app has ended; one that waits for something, such as a timer, goes on answering"] : []),
	];
}

/** The object that --json prints. */
function toJson(appraised: Appraised): unknown {
	const { app, board, nonce, token, device, result } = appraised;
	return {
		board,
		app,
		nonce: nonce === undefined ? null : hex(nonce),
		token: token === undefined ? null : hex(token),
		publicKey: device?.jwk ?? null,
		verdict: result.verdict,
		components: result.components.map(({ name, expected, measured, status }) => ({ name, expected, measured, status })),
		relocation: relocationJson(result),
		reasons: result.reasons.map((reason) => reason.text),
	};
}

/** The claim on code that moves; what its check found with the name that the build knows. */
function relocationJson({ evidence, reference }: AttestationResult): unknown {
	const claim = evidence?.relocation;
	if (claim === undefined) return null;
	if (claim.status === "none") return claim;
	const { change, ...rest } = claim;
	if (change === undefined) return { ...rest, change: null };
	return { ...rest, change: { ...change, name: changedName(change, reference) ?? null } };
}

/** The same as a line. */
function relocationText(claim: NonNullable<Evidence["relocation"]>): string {
	if (claim.status === "none") return "none";
	const { status, epoch, age, bits, period, jitter, beforeAttestation, afterAnomaly } = claim;
	const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;
	const refused = { ready: [], moving: ["moving"], "no-random": ["no random numbers"], "no-entropy": ["too few bits"] };
	const by = [
		...(period === 0 ? [] : [`every ${period / 1000} s${jitter === 0 ? "" : ` ± ${jitter} %`}`]),
		...(beforeAttestation ? ["before attestation"] : []),
		...(afterAnomaly ? ["after an anomaly"] : []),
	];
	return [
		`epoch ${epoch}`,
		epoch === 0 ? `not moved in ${seconds(age)}` : `moved ${seconds(age)} ago`,
		...refused[status],
		`${bits} bits`,
		by.length === 0 ? "by request only" : `moves ${by.join(", ")}`,
	].join(", ");
}

/** Components with their digests, and under each the parts that are not as expected. */
export function componentTable(components: readonly ComponentResult[]): string {
	const digest = (text: string | null) => (text === null ? "-" : text.slice(0, 16));
	const rows = components.flatMap((component) => [
		[component.name, digest(component.expected), digest(component.measured), component.status],
		...component.parts.map((part) => [`  ${part.name}`, digest(part.expected), digest(part.measured), part.status]),
	]);
	return table(["component", "expected", "measured", "status"], rows);
}

function print(appraised: Appraised): void {
	const { app, board, nonce, token, device, result } = appraised;
	const { evidence } = result;
	const facts: [string, string][] = [];
	if (app !== null || board !== null) facts.push(["device", [app, board].filter((name) => name !== null).join(" on ")]);
	const instance = evidence?.instanceId ?? device?.instanceId;
	if (instance !== undefined) {
		const known = result.device === undefined ? "not enrolled" : "enrolled";
		facts.push(["instance", `${typeof instance === "string" ? instance : hex(instance)} (${known})`]);
	}
	if (nonce !== undefined) facts.push(["nonce", hex(nonce)]);
	if (token !== undefined)
		facts.push(["token", `${token.length} bytes, ${result.authentic ? "authentic" : "not authentic"}`]);
	if (evidence !== undefined) {
		const { lifecycle, bootCount, resetReason, entropySource } = evidence;
		const state = [
			lifecycle,
			...(bootCount === undefined ? [] : [`boot ${bootCount}`]),
			...(resetReason === undefined ? [] : [`after ${resetReason}`]),
			...(entropySource === undefined ? [] : [`${entropySource} entropy`]),
		];
		facts.push(["state", state.filter((fact) => fact !== undefined).join(", ")]);
		if (evidence.relocation !== undefined) facts.push(["relocation", relocationText(evidence.relocation)]);
	}
	facts.push(["policy", result.policy]);
	const width = Math.max(8, ...facts.map(([name]) => name.length));
	for (const [name, value] of facts) console.log(`${name.padEnd(width)}  ${value}`);
	if (result.components.length > 0) console.log(`\n${componentTable(result.components)}`);
	console.log(`\nverdict: ${result.verdict}`);
	for (const reason of result.reasons)
		console.log(`  ${reason.tier === "affirming" ? "note" : reason.tier}: ${reason.text}`);
}

/** Keeps the evidence, so that it can be judged again. */
function save(folder: string, appraised: Appraised): void {
	const { token, log, nonce, device, result } = appraised;
	mkdirSync(folder, { recursive: true });
	const ear = toEar(result, appraised.board ?? "token", Date.now());
	const files: [string, Uint8Array | string | undefined][] = [
		["token.cbor", token],
		["log.cbor", log],
		["nonce.hex", nonce === undefined ? undefined : `${hex(nonce)}\n`],
		["key.json", device === undefined ? undefined : `${JSON.stringify(device.jwk, null, "\t")}\n`],
		["ear.json", `${JSON.stringify(ear, null, "\t")}\n`],
	];
	for (const [name, content] of files) if (content !== undefined) writeFileSync(join(folder, name), content);
	const again = `pericard attest --token ${displayPath(join(folder, "token.cbor"))}`;
	process.stderr.write(`saved in ${displayPath(folder)}; to judge the token again: \`${again}\`\n`);
}

function hex(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString("hex");
}

async function run(args: Arguments): Promise<number> {
	const [word] = args.positionals;
	const file = args.text("token");
	const referenceFile = args.text("reference");
	if (word === undefined && file === undefined) {
		throw new CliError(
			"attest: there is nothing to attest",
			"name an app to build, start and challenge, or --token FILE with a token from elsewhere",
		);
	}
	if (file === undefined && args.text("log") !== undefined) {
		throw new CliError("attest: --log goes with --token", "a device that is challenged sends its own log");
	}
	if (referenceFile !== undefined && (word !== undefined || file === undefined)) {
		throw new CliError(
			"attest: --reference goes with --token and without an app",
			"an app brings its own reference values",
		);
	}
	const json = args.flag("json");
	const progress = progressLines(json && !args.flag("verbose"));
	let appraised: Appraised | string[];
	if (word === undefined) {
		const reference = referenceFile === undefined ? undefined : readReference(referenceFile);
		appraised = appraiseFile(args, file ?? "", reference === undefined ? [] : [reference], reference?.app ?? null);
	} else {
		const app = findApp(word);
		const board = args.text("board") ?? DEFAULT_BOARD;
		// A token that was given needs no emulator.
		const emulator = file === undefined ? chooseEmulator(board, args.text("emulator")) : undefined;
		const build = await buildApp(args, app, progress);
		appraised =
			emulator === undefined
				? appraiseFile(args, file ?? "", [build.reference], build.name)
				: await appraiseDevice(args, build, emulator, progress);
		if (Array.isArray(appraised)) return gaveNothing(build, appraised, json);
	}
	if (Array.isArray(appraised)) return FAILED;
	if (json) console.log(JSON.stringify(toJson(appraised)));
	else print(appraised);
	const folder = args.text("save");
	if (folder !== undefined) save(folder, appraised);
	return appraised.result.verdict === "affirming" ? OK : FAILED;
}

/** A device that answers no challenge: no assertion can be made. */
function gaveNothing(build: Build, lines: readonly string[], json: boolean): number {
	if (json) {
		const { board, name } = build;
		const [reason] = lines;
		console.log(
			JSON.stringify({
				board,
				app: name,
				nonce: null,
				token: null,
				publicKey: null,
				verdict: "none",
				components: [],
				relocation: null,
				reasons: [reason],
			}),
		);
	} else {
		console.log(`verdict: none\n  none: ${lines[0]}`);
	}
	for (const line of lines.slice(1)) console.error(line);
	return FAILED;
}

export const command: Command = {
	name: "attest",
	summary: "is a device what was built? challenge it, judge its answer",
	description:
		"Builds the app, starts it in an emulator, makes the device known by the key that it names (in a factory that is done once, by hand), and challenges it with a fresh nonce over its management link. The device measures its flash and signs what it finds; the answer is held against the reference values of the build. With --token nothing is started: the token of the file is judged, one of the app or, without an app, one from elsewhere. The verdict is one of AR4SI: affirming, warning, contraindicated, none; the reasons name what is wrong.",
	positionals: [
		{
			name: "app",
			help: "a folder with a manifest.json, a .ts file, or the name of a reference app; it must include manifests/attestation.json",
			optional: true,
		},
	],
	options: {
		...BUILD_OPTIONS,
		emulator: { value: "NAME", help: "default: the board's first", choices: ["qemu", "renode", "posix"] },
		seed: { value: "N", help: "of the emulated device's random numbers: another seed is another device (default: 1)" },
		token: { value: "FILE", help: "judge this token (COSE_Sign1) instead of a device's" },
		log: { value: "FILE", help: "with --token: its measurement log, which tells the parts of a component" },
		nonce: {
			value: "HEX",
			help: "the challenge, 32, 48 or 64 bytes; default: a random one; with --token: the one that it must answer",
		},
		key: { value: "FILE", help: "the device's public key (JWK or PEM); default: the one that the device names" },
		reference: { value: "FILE", help: "with --token and no app: reference values (.reference.json or .corim)" },
		"relocation-bits": { value: "N", help: "refuse a device whose code has fewer than 2^N layouts, or doesn't move" },
		"relocation-age": { value: "S", help: "refuse a device whose code last moved more than S seconds ago, or doesn't" },
		save: { value: "DIR", help: "keep token, log, nonce, key and the result (EAR) in files" },
		json: { help: "print {board, app, nonce, token, publicKey, verdict, components, relocation, reasons}" },
	},
	examples: [
		["pericard attest ecg-patch", "challenge the reference app on mps2-an386"],
		["pericard attest ecg-patch --board posix --save e", "and keep what it answered"],
		[
			"pericard attest ecg-patch --board posix --token e/token.cbor --key e/key.json --nonce $(cat e/nonce.hex)",
			"judge the same answer once more",
		],
		["pericard attest ecg-patch --relocation-bits 256 --relocation-age 2", "and demand that its code moves"],
		["pericard attest --token psa-token.cbor", "look into a PSA token from elsewhere"],
	],
	exitCodes: [
		[0, "affirming"],
		[1, "any other verdict, or the app does not build"],
		[2, "wrong usage, or a tool is missing (see `pericard doctor`)"],
	],
	run,
};
