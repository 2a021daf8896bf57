// `pericard doctor`: what is installed on this machine, what is missing, and how to get it.

import { isDebian, npmPackagesPresent, type Requirement, requirements } from "../requirements.mjs";
import { type Arguments, type Command, OK, USAGE } from "./command.ts";
import { ROOT } from "./paths.ts";

/** One line of the report; `doctor --json` prints an array of them. */
interface Finding {
	readonly id: string;
	readonly name: string;
	readonly need: Requirement["need"];
	readonly found: boolean;
	readonly version?: string;
	readonly path?: string;
	readonly purpose: string;
	/** How to get it, where it is missing. */
	readonly install?: string;
}

const NEEDS = {
	build: "needed to build and run",
	test: "needed for the tests of Pericard itself",
	optional: "optional, for more boards",
} as const;

function examine(): Finding[] {
	const debian = isDebian();
	const findings: Finding[] = [
		{
			id: "node",
			name: "Node",
			need: "build",
			found: true, // the command does not start on a version that is too old
			version: process.versions.node,
			path: process.execPath,
			purpose: "runs this command and the build",
		},
		{
			id: "npm-packages",
			name: "npm packages",
			need: "build",
			found: npmPackagesPresent(ROOT),
			purpose: "the XS engine's sources, the TypeScript compiler",
			...(npmPackagesPresent(ROOT) ? {} : { install: "npm run setup" }),
		},
	];
	for (const tool of requirements) {
		const path = tool.find();
		const packages = tool.packages().join(" ");
		const byHand = tool.hint ?? (debian ? `apt-get install ${packages}` : `the equivalent of Debian's ${packages}`);
		const version = path === undefined ? undefined : tool.version();
		findings.push({
			id: tool.id,
			name: tool.name,
			need: tool.need,
			found: path !== undefined,
			...(version === undefined ? {} : { version }),
			...(path === undefined ? {} : { path }),
			purpose: tool.purpose,
			...(path === undefined ? { install: byHand } : {}),
		});
	}
	return findings;
}

function print(findings: readonly Finding[]): void {
	const width = Math.max(...findings.map((finding) => finding.name.length));
	for (const need of ["build", "test", "optional"] as const) {
		console.log(`${need === "build" ? "" : "\n"}${NEEDS[need]}:`);
		for (const finding of findings.filter((candidate) => candidate.need === need)) {
			const name = finding.name.padEnd(width);
			if (finding.found) {
				console.log(`  ok       ${name}  ${[finding.version, finding.path].filter(Boolean).join("  ")}`.trimEnd());
			} else {
				console.log(`  missing  ${name}  ${finding.purpose}`);
				console.log(`           ${" ".repeat(width)}  get it: ${finding.install}`);
			}
		}
	}
	const missing = findings.filter((finding) => finding.need === "build" && !finding.found);
	console.log(
		missing.length === 0
			? "\nEverything that building and running need is there."
			: `\nMissing: ${missing.map((finding) => finding.name).join(", ")}. \`npm run setup\` installs them on Debian and Ubuntu.`,
	);
}

async function run(args: Arguments): Promise<number> {
	const findings = examine();
	if (args.flag("json")) console.log(JSON.stringify(findings, null, "\t"));
	else print(findings);
	return findings.every((finding) => finding.found || finding.need !== "build") ? OK : USAGE;
}

export const command: Command = {
	name: "doctor",
	summary: "what is installed, what is missing, how to get it",
	description:
		"Looks for the compilers, emulators and SDKs that Pericard uses, prints where each is and its version, and says how to get what is missing. Installs nothing.",
	positionals: [],
	options: {
		json: { help: "print an array of {id, name, need, found, version, path, purpose, install}" },
	},
	examples: [
		["pericard doctor", "look at this machine"],
		["pericard doctor --json | jq '.[] | select(.found | not)'", "what is missing, for a script"],
	],
	exitCodes: [
		[0, "everything that building and running need is there"],
		[2, "something of it is missing"],
	],
	run,
};
