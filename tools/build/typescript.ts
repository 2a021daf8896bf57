// Checks and emits the TypeScript of a build: strict, ES2022, without DOM, with names of modules from the manifest.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import ts from "typescript";
import { pericardRoot } from "./board.ts";
import { BuildError, displayPath, suggestion } from "./errors.ts";
import type { Json, Manifest, Module } from "./manifest.ts";

/** A module as JavaScript, with imports by absolute module names. */
export interface EmittedModule {
	readonly js: string;
	/** Source map, JSON. */
	readonly map: string;
	/** Names of the modules that it imports, statically or by a literal dynamic import. */
	readonly imports: readonly string[];
	/** True when a dynamic import computes its specifier. */
	readonly computedImport: boolean;
}

/** Where an import is written, for errors. Lines and columns count from 1. */
export interface ImportSite {
	readonly file: string;
	readonly line: number;
	readonly column: number;
}

/** Turns a specifier as written in a module into the module's name. Throws BuildError. */
export type ResolveImport = (specifier: string, importer: Module, site: ImportSite) => string;

/* Options that the device decides. */
const fixedOptions = new Set([
	"target",
	"lib",
	"module",
	"moduleResolution",
	"moduleDetection",
	"outDir",
	"outFile",
	"rootDir",
	"baseUrl",
	"paths",
	"noEmit",
	"sourceMap",
	"inlineSourceMap",
	"declaration",
	"composite",
	"incremental",
	"strict",
	"types",
	"typeRoots",
	"jsx",
	"allowJs",
]);

/* "Option 'allowImportingTsExtensions' can only be used when ...": what we emit has no such imports. */
const ignoredDiagnostics = new Set([5096]);

/* Parsed files of packages: they stay the same while this process runs. */
const libraries = new Map<string, ts.SourceFile | undefined>();

/** The TypeScript of one build. */
/** The module that makes the global `device`. */
const deviceModule = "embedded:provider/builtin";

export class TypeScript {
	readonly #manifest: Manifest;
	readonly #options: ts.CompilerOptions;
	readonly #host: ts.CompilerHost;
	readonly #virtual = new Map<string, string>();
	readonly #typeFiles: string[];
	readonly #outputs = new Map<string, string>();
	#program: ts.Program | undefined;

	constructor(manifest: Manifest) {
		this.#manifest = manifest;
		const paths: Record<string, string[]> = {};
		for (const module of manifest.modules.values()) {
			const file = module.types ?? this.sourceFile(module);
			if (file.endsWith(".ts")) paths[module.name] = [file];
		}
		this.#options = {
			...userOptions(manifest),
			strict: true,
			target: ts.ScriptTarget.ES2022,
			lib: ["lib.es2022.d.ts"],
			module: ts.ModuleKind.ES2022,
			moduleResolution: ts.ModuleResolutionKind.Bundler,
			moduleDetection: ts.ModuleDetectionKind.Force,
			allowImportingTsExtensions: true,
			esModuleInterop: true,
			useDefineForClassFields: true,
			skipLibCheck: true,
			removeComments: true,
			sourceMap: true,
			newLine: ts.NewLineKind.LineFeed,
			types: [],
			typeRoots: [],
			paths,
		};
		this.#typeFiles = typeFiles(manifest);
		const host = ts.createCompilerHost(this.#options);
		const { readFile, fileExists, getSourceFile } = host;
		host.readFile = (name) => this.#virtual.get(name) ?? readFile.call(host, name);
		host.fileExists = (name) => this.#virtual.has(name) || fileExists.call(host, name);
		const parsed = new Map<string, ts.SourceFile | undefined>();
		host.getSourceFile = (name, languageVersion, ...rest) => {
			const cache = name.includes("/node_modules/") ? libraries : parsed;
			let source = cache.get(name);
			if (source === undefined) {
				const text = this.#virtual.get(name);
				source =
					text === undefined
						? getSourceFile.call(host, name, languageVersion, ...rest)
						: ts.createSourceFile(name, text, languageVersion);
				cache.set(name, source);
			}
			return source;
		};
		/* Where Pericard is installed in a node_modules, its modules are code to emit all the same, not a library. */
		const cache = ts.createModuleResolutionCache(pericardRoot, (name) => name, this.#options);
		host.resolveModuleNameLiterals = (literals, importer, redirected, options) =>
			literals.map((literal) => {
				const found = ts.resolveModuleName(literal.text, importer, options, host, cache, redirected);
				if (found.resolvedModule === undefined) return found;
				return { ...found, resolvedModule: { ...found.resolvedModule, isExternalLibraryImport: false } };
			});
		host.writeFile = (name, text) => this.#outputs.set(name, text);
		this.#host = host;
	}

	/** The .ts or .js file of a module; for generated ones and JSON a file that exists in memory only. */
	sourceFile(module: Module): string {
		if (module.file !== "" && !module.file.endsWith(".json")) return module.file;
		const file = join(pericardRoot, ".generated", `${module.name.replace(/[^\w./-]/g, "_")}.ts`);
		if (!this.#virtual.has(file)) {
			const value = module.file === "" ? this.#manifest.config : readJson(module.file);
			this.#virtual.set(file, constantModule(value));
		}
		return file;
	}

	/** True when the last check() covered this module. */
	covers(module: Module): boolean {
		const file = this.sourceFile(module);
		return !file.endsWith(".ts") || this.#program?.getSourceFile(file) !== undefined;
	}

	/** Checks the modules and all that they import. Throws a BuildError that lists every error as file:line:column. */
	check(modules: readonly Module[]): void {
		const files = modules
			.map((module) => module.types ?? this.sourceFile(module))
			.filter((file) => file.endsWith(".ts"));
		this.#program = ts.createProgram({
			rootNames: [...new Set([...files, ...this.#typeFiles])],
			options: this.#options,
			host: this.#host,
			oldProgram: this.#program,
		});
		/* What follows a syntax error in the same text is noise. */
		const syntax = this.#program.getSyntacticDiagnostics();
		const diagnostics = [...(syntax.length > 0 ? syntax : ts.getPreEmitDiagnostics(this.#program))]
			.filter((diagnostic) => diagnostic.category === ts.DiagnosticCategory.Error)
			.filter((diagnostic) => !ignoredDiagnostics.has(diagnostic.code));
		if (diagnostics.length > 0) throw this.#error(diagnostics);
	}

	/** Emits one module that check() has covered. */
	emit(module: Module, resolveImport: ResolveImport): EmittedModule {
		const file = this.sourceFile(module);
		const imports = new Set<string>();
		const state = { computed: false, device: false };
		const rename: ts.TransformerFactory<ts.SourceFile> = (context) => (source) => {
			const name = (literal: ts.StringLiteralLike): ts.StringLiteral => {
				const original = ts.getOriginalNode(literal);
				const start = original.pos >= 0 ? original.getStart(ts.getOriginalNode(source) as ts.SourceFile) : 0;
				const { line, character } = ts.getLineAndCharacterOfPosition(source, start);
				const site = { file: module.file || file, line: line + 1, column: character + 1 };
				const resolved = resolveImport(literal.text, module, site);
				imports.add(resolved);
				return ts.setTextRange(context.factory.createStringLiteral(resolved), literal);
			};
			const visit = (node: ts.Node): ts.Node => {
				if (ts.isImportDeclaration(node) && ts.isStringLiteralLike(node.moduleSpecifier)) {
					const specifier = name(node.moduleSpecifier);
					return context.factory.updateImportDeclaration(node, node.modifiers, node.importClause, specifier, undefined);
				}
				if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteralLike(node.moduleSpecifier)) {
					const { modifiers, isTypeOnly, exportClause } = node;
					const specifier = name(node.moduleSpecifier);
					return context.factory.updateExportDeclaration(
						node,
						modifiers,
						isTypeOnly,
						exportClause,
						specifier,
						undefined,
					);
				}
				if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
					const argument = node.arguments[0];
					if (argument !== undefined && ts.isStringLiteralLike(argument)) {
						return context.factory.updateCallExpression(node, node.expression, undefined, [name(argument)]);
					}
					state.computed = true;
				}
				if (ts.isIdentifier(node) && node.text === "device") state.device ||= this.#isGlobalDevice(node);
				return ts.visitEachChild(node, visit, context);
			};
			const renamed = ts.visitNode(source, visit, ts.isSourceFile);
			if (!state.device) return renamed;
			/* The global is made by its module: whoever uses it imports that first. */
			const provider = resolveImport(deviceModule, module, { file: module.file || file, line: 1, column: 1 });
			imports.add(provider);
			const declaration = context.factory.createImportDeclaration(
				undefined,
				undefined,
				context.factory.createStringLiteral(provider),
			);
			return context.factory.updateSourceFile(renamed, [declaration, ...renamed.statements]);
		};
		const { js, map } = file.endsWith(".ts") ? this.#emitTypeScript(file, rename) : this.#emitJavaScript(file, rename);
		return { js, map, imports: [...imports], computedImport: state.computed };
	}

	/* Whether a name in emitted code is the ambient `device` of our declarations. */
	#isGlobalDevice(node: ts.Identifier): boolean {
		const original = ts.getOriginalNode(node);
		const symbol = ts.isIdentifier(original)
			? this.#program?.getTypeChecker().getSymbolAtLocation(original)
			: undefined;
		return symbol?.declarations?.some((d) => d.getSourceFile().fileName.endsWith("/types/device.d.ts")) ?? false;
	}

	#emitTypeScript(file: string, rename: ts.TransformerFactory<ts.SourceFile>): { js: string; map: string } {
		const source = this.#program?.getSourceFile(file);
		if (source === undefined) throw new Error(`${file} was not checked`);
		this.#outputs.clear();
		this.#program?.emit(source, undefined, undefined, false, { after: [rename] });
		let js = "";
		let map = "";
		for (const [name, text] of this.#outputs) {
			if (name.endsWith(".map")) map = text;
			else js = text;
		}
		return { js: withoutMapComment(js), map };
	}

	#emitJavaScript(file: string, rename: ts.TransformerFactory<ts.SourceFile>): { js: string; map: string } {
		const output = ts.transpileModule(readFileSync(file, "utf8"), {
			fileName: file,
			reportDiagnostics: true,
			compilerOptions: {
				target: ts.ScriptTarget.ES2022,
				module: ts.ModuleKind.ES2022,
				allowJs: true,
				sourceMap: true,
				removeComments: true,
			},
			transformers: { after: [rename] },
		});
		if (output.diagnostics !== undefined && output.diagnostics.length > 0) throw this.#error(output.diagnostics);
		return { js: withoutMapComment(output.outputText), map: output.sourceMapText ?? "" };
	}

	#error(diagnostics: readonly ts.Diagnostic[]): BuildError {
		const shown = diagnostics.slice(0, 20).map((diagnostic) => this.#format(diagnostic));
		if (diagnostics.length > shown.length) shown.push(`and ${diagnostics.length - shown.length} more errors`);
		const error = new BuildError(shown.join("\n"));
		const file = diagnostics.find((diagnostic) => diagnostic.file !== undefined)?.file?.fileName;
		return Object.assign(error, { file });
	}

	#format(diagnostic: ts.Diagnostic): string {
		let message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n  ");
		const missing = diagnostic.code === 2307 ? /'([^']+)'/.exec(message)?.[1] : undefined;
		if (missing !== undefined) {
			const untyped = this.#manifest.modules.get(missing);
			if (untyped === undefined)
				message = message.replace(/\.$/, "") + suggestion(missing, this.#manifest.modules.keys());
			else message = `module '${missing}' is JavaScript without types: put ${declarationFor(untyped)} beside it`;
		}
		const text = `error TS${diagnostic.code}: ${message}`;
		if (diagnostic.file === undefined) return text;
		const { line, character } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
		return `${displayPath(diagnostic.file.fileName)}:${line + 1}:${character + 1}: ${text}`;
	}
}

function declarationFor(module: Module): string {
	return basename(module.file).replace(/\.m?js$/, ".d.ts");
}

function userOptions(manifest: Manifest): ts.CompilerOptions {
	const wanted: Record<string, Json> = {};
	for (const [key, value] of Object.entries(manifest.compilerOptions)) {
		if (!fixedOptions.has(key)) wanted[key] = value;
	}
	const { options, errors } = ts.convertCompilerOptionsFromJson(wanted, manifest.dir);
	const error = errors[0];
	if (error !== undefined) {
		throw new BuildError(ts.flattenDiagnosticMessageText(error.messageText, " "), {
			file: manifest.files.at(-1) ?? manifest.dir,
			key: "typescript.tsconfig.compilerOptions",
		});
	}
	return options;
}

/* Moddable's declarations of the language, ours, and Moddable's for those modules that bring none themselves. */
function typeFiles(manifest: Manifest): string[] {
	const files = [...manifest.declarations];
	const own = join(pericardRoot, "firmware/types");
	for (const name of existsSync(own) ? readdirSync(own).sort() : []) {
		if (!name.endsWith(".d.ts")) continue;
		if (name === "device.d.ts" && !manifest.modules.has("embedded:provider/builtin")) continue;
		files.push(join(own, name));
	}
	const typings = typingsFolder();
	files.push(join(typings, "xs.d.ts"));
	if (!manifest.modules.has("embedded:io/_common")) files.push(join(typings, "embedded_io/_common.d.ts"));
	for (const module of manifest.modules.values()) {
		if (module.types !== undefined || !/\.m?js$/.test(module.file)) continue;
		const file = join(typings, `${module.name.replace(/^embedded:(\w+)\//, "embedded_$1/")}.d.ts`);
		if (existsSync(file)) files.push(file);
	}
	return files;
}

function typingsFolder(): string {
	const found = ts.findConfigFile(pericardRoot, existsSync, "node_modules/@moddable/typings/xs.d.ts");
	if (found === undefined) throw new BuildError("@moddable/typings is not installed: run npm install");
	return dirname(found);
}

function readJson(file: string): Json {
	try {
		return JSON.parse(readFileSync(file, "utf8")) as Json;
	} catch (error) {
		throw new BuildError(`not JSON: ${(error as Error).message}`, { file });
	}
}

/** The source of a module whose default export is a deeply frozen constant. Unknown properties are `unknown`. */
export function constantModule(value: Json): string {
	const extra = isRecord(value) ? " & Readonly<Record<string, unknown>>" : "";
	return `const value: ${jsonType(value)} = ${frozen(value)};\nexport default value as ${jsonType(value)}${extra};\n`;
}

function isRecord(value: Json): value is { readonly [key: string]: Json } {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function frozen(value: Json): string {
	if (Array.isArray(value)) return `Object.freeze([${value.map((item: Json) => frozen(item)).join(", ")}])`;
	if (!isRecord(value)) return JSON.stringify(value);
	/* A computed key, so that "__proto__" is a property like any other. */
	const entries = Object.entries(value).map(([key, item]) => `[${JSON.stringify(key)}]: ${frozen(item)}`);
	return `Object.freeze({ ${entries.join(", ")} })`;
}

function jsonType(value: Json): string {
	if (value === null) return "null";
	if (Array.isArray(value)) {
		const types = [...new Set(value.map((item: Json) => jsonType(item)))];
		return `readonly (${types.length === 0 ? "never" : types.join(" | ")})[]`;
	}
	if (!isRecord(value)) return typeof value;
	const entries = Object.entries(value).map(([key, item]) => `readonly ${JSON.stringify(key)}: ${jsonType(item)}`);
	return `{ ${entries.join("; ")} }`;
}

function withoutMapComment(js: string): string {
	return js.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
}

/** The version of the compiler, for cache keys. */
export const typescriptVersion = ts.version;
