#!/usr/bin/env node
// The `pericard` command: lets Node load TypeScript (tsx) and hands over to tools/cli/main.ts.
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

if (Number(process.versions.node.split(".")[0]) < 20) {
	console.error(`Pericard needs Node 20 or later; this is ${process.version}.`);
	process.exit(2);
}
let tsx;
try {
	tsx = await import("tsx/esm/api");
} catch (error) {
	if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
	console.error("Pericard's npm packages are not installed.");
	console.error(`hint: run \`npm run setup\` in ${here("../..")}`);
	process.exit(2);
}
// A tsconfig in the user's folder must not change how the command itself is loaded.
tsx.register({ tsconfig: false });
const { main } = await import("../cli/main.ts");
process.exitCode = await main(process.argv.slice(2));
