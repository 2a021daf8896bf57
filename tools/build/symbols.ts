// Turns "module:offset" of the device's stack traces into lines of TypeScript, by the symbols file of the build.

import { readFileSync } from "node:fs";
import type { GraphModule } from "./graph.ts";

/** `<app>.symbols.json`: for each module its source and [offset in code, line], ascending by offset. */
export interface SymbolsFile {
	readonly modules: Readonly<
		Record<string, { readonly file: string; readonly lines: readonly (readonly [number, number])[] }>
	>;
}

/** The content of the symbols file for the modules of an image. */
export function makeSymbols(modules: readonly GraphModule[]): SymbolsFile {
	return {
		modules: Object.fromEntries(
			modules.map(({ module, source, lines }) => [
				module.name,
				{ file: source, lines: lines.map(([offset, line]): [number, number] => [offset, line]) },
			]),
		),
	};
}

/** Where in the source the code at `offset` of a module is. A return address belongs to the call before it. */
export function findLine(
	symbols: SymbolsFile,
	module: string,
	offset: number,
): { readonly file: string; readonly line: number } | undefined {
	const entry = symbols.modules[module];
	if (entry === undefined) return undefined;
	let low = 0;
	let high = entry.lines.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((entry.lines[middle]?.[0] ?? 0) < Math.max(1, offset)) low = middle + 1;
		else high = middle;
	}
	const line = entry.lines[low - 1]?.[1];
	return line === undefined ? undefined : { file: entry.file, line };
}

/** Rewrites every " at name (module:offset)" of a text to " at name (path/file.ts:line)"; leaves what it can't find. */
export function symbolize(text: string, symbols: SymbolsFile): string {
	return text.replace(
		/( at (?:[^()\n]* )?)\(([^()\n]+):(\d+)\)/g,
		(all, head: string, module: string, offset: string) => {
			const found = findLine(symbols, module, Number(offset));
			return found === undefined ? all : `${head}(${found.file}:${found.line})`;
		},
	);
}

/** The symbols of one build, read once. */
export class Symbols {
	readonly file: SymbolsFile;

	constructor(file: SymbolsFile) {
		this.file = file;
	}

	/** A stack of the device with lines of TypeScript. */
	stack(text: string): string {
		return symbolize(text, this.file);
	}
}

/** Reads a symbols file. */
export function loadSymbols(path: string): Symbols {
	return new Symbols(JSON.parse(readFileSync(path, "utf8")) as SymbolsFile);
}
