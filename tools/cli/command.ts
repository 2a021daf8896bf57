// What a verb of the command line is made of: its words, options, help text and errors.

import { parseArgs } from "node:util";
import { closest } from "../build/errors.ts";

export interface OptionSpec {
	/** Placeholder of the value; an option without one is a switch. */
	readonly value?: string;
	readonly help: string;
	readonly choices?: readonly string[];
	readonly default?: string;
}

export interface PositionalSpec {
	readonly name: string;
	readonly help: string;
	readonly optional?: boolean;
}

export interface Command {
	readonly name: string;
	readonly summary: string;
	/** A paragraph for the verb's own help. */
	readonly description: string;
	readonly positionals: readonly PositionalSpec[];
	readonly options: Readonly<Record<string, OptionSpec>>;
	readonly examples: readonly (readonly [command: string, meaning: string])[];
	readonly exitCodes: readonly (readonly [code: number, meaning: string])[];
	run(args: Arguments): Promise<number>;
}

/** Exit codes of every verb. */
export const OK = 0;
export const FAILED = 1;
export const USAGE = 2;

/** A mistake that the user can put right: printed as a message and a hint, never with a stack. */
export class CliError extends Error {
	override readonly name = "CliError";
	readonly hint: string | undefined;
	readonly exitCode: number;

	constructor(message: string, hint?: string, exitCode = USAGE) {
		super(message);
		this.hint = hint;
		this.exitCode = exitCode;
	}
}

/** The parsed words of one call. */
export class Arguments {
	readonly positionals: readonly string[];
	readonly #values: Readonly<Record<string, string | boolean | undefined>>;

	constructor(positionals: readonly string[], values: Readonly<Record<string, string | boolean | undefined>>) {
		this.positionals = positionals;
		this.#values = values;
	}

	flag(name: string): boolean {
		return this.#values[name] === true;
	}

	text(name: string): string | undefined {
		const value = this.#values[name];
		return typeof value === "string" ? value : undefined;
	}

	/** A positive number, or undefined where the option is absent. Throws CliError. */
	number(name: string): number | undefined {
		const text = this.text(name);
		if (text === undefined) return undefined;
		const value = Number(text);
		if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
			throw new CliError(`--${name} takes a number above 0, not "${text}"`);
		}
		return value;
	}
}

/** Options that every verb has. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
	verbose: { help: "show the steps, and the stack of an internal error" },
	help: { help: "show this help" },
};

/** Parses a verb's words. Throws CliError on an unknown option, a missing or surplus word, or a value that is no choice. */
export function parseCommand(command: Command, words: readonly string[]): Arguments {
	const specs: Readonly<Record<string, OptionSpec>> = { ...command.options, ...COMMON_OPTIONS };
	const see = `see \`pericard ${command.name} --help\``;
	const { tokens } = parseArgs({
		args: [...words],
		options: Object.fromEntries(
			Object.entries(specs).map(([name, spec]) => [name, { type: spec.value === undefined ? "boolean" : "string" }]),
		),
		strict: false,
		allowPositionals: true,
		tokens: true,
	});
	const positionals: string[] = [];
	const values: Record<string, string | boolean | undefined> = {};
	for (const token of tokens) {
		if (token.kind === "positional") positionals.push(token.value);
		if (token.kind !== "option") continue;
		const spec = specs[token.name];
		if (spec === undefined) {
			const near = nearest(token.name, Object.keys(specs));
			throw new CliError(
				`${command.name}: unknown option ${token.rawName}`,
				near === undefined ? see : `did you mean --${near}? (${see})`,
			);
		}
		if (spec.value === undefined) {
			if (token.value !== undefined) throw new CliError(`${command.name}: --${token.name} takes no value`, see);
			values[token.name] = true;
			continue;
		}
		// "--out --json": the next option is no value.
		if (token.value === undefined || token.value === "" || (!token.inlineValue && token.value.startsWith("--"))) {
			throw new CliError(`${command.name}: --${token.name} needs a value (${spec.value})`, see);
		}
		if (spec.choices !== undefined && !spec.choices.includes(token.value)) {
			const near = nearest(token.value, spec.choices);
			throw new CliError(
				`${command.name}: --${token.name} is one of ${spec.choices.join(", ")}, not "${token.value}"`,
				near === undefined ? see : `did you mean ${near}? (${see})`,
			);
		}
		values[token.name] = token.value;
	}
	if (values.help === true) return new Arguments(positionals, values);
	for (const [name, spec] of Object.entries(specs)) values[name] ??= spec.default;
	const needed = command.positionals.filter((positional) => positional.optional !== true).length;
	if (positionals.length < needed) {
		throw new CliError(`${command.name}: <${command.positionals[positionals.length]?.name}> is missing`, see);
	}
	if (positionals.length > command.positionals.length) {
		throw new CliError(`${command.name}: one word too many: ${positionals[command.positionals.length]}`, see);
	}
	return new Arguments(positionals, values);
}

/** The name out of `names` that a typing mistake may have meant, or that `word` begins, if any. */
export function nearest(word: string, names: readonly string[]): string | undefined {
	return closest(word, names)[0] ?? names.find((name) => word.length >= 2 && name.startsWith(word));
}

/** The help text of one verb. */
export function commandHelp(command: Command): string {
	const lines: string[] = [];
	const words = command.positionals.map((word) => (word.optional ? `[${word.name}]` : `<${word.name}>`));
	const specs = { ...command.options, ...COMMON_OPTIONS };
	lines.push(`usage: ${["pericard", command.name, ...words, "[options]"].join(" ")}`, "");
	lines.push(...wrap(command.description, 88), "");
	if (command.positionals.length > 0) {
		for (const word of command.positionals)
			lines.push(...entry(word.optional ? `[${word.name}]` : `<${word.name}>`, word.help));
		lines.push("");
	}
	lines.push("Options:");
	for (const [name, spec] of Object.entries(specs)) {
		const more = [
			...(spec.choices ? [`one of ${spec.choices.join(", ")}`] : []),
			...(spec.default ? [`default ${spec.default}`] : []),
		].join("; ");
		lines.push(...entry(`--${name}${spec.value ? ` ${spec.value}` : ""}`, more ? `${spec.help} (${more})` : spec.help));
	}
	lines.push("", "Examples:");
	for (const [example, meaning] of command.examples) lines.push(`  ${example}`, `      ${meaning}`);
	lines.push("", "Exit codes:");
	for (const [code, meaning] of command.exitCodes) lines.push(`  ${code}  ${meaning}`);
	return lines.join("\n");
}

function entry(head: string, text: string): string[] {
	const [first = "", ...rest] = wrap(text, 66);
	const lead = head.length > 19 ? [`  ${head}`, `${" ".repeat(22)}${first}`] : [`  ${head.padEnd(19)} ${first}`];
	return [...lead, ...rest.map((line) => `${" ".repeat(22)}${line}`)];
}

function wrap(text: string, width: number): string[] {
	const lines: string[] = [];
	for (const paragraph of text.split("\n")) {
		let line = "";
		for (const word of paragraph.split(" ")) {
			if (line !== "" && line.length + 1 + word.length > width) {
				lines.push(line);
				line = "";
			}
			line = line === "" ? word : `${line} ${word}`;
		}
		lines.push(line);
	}
	return lines;
}
