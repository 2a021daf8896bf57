// The documents: links lead somewhere, every folder says what is in it, and the pages speak of the product only.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const tracked = spawnSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" })
	.stdout.split("\n")
	.filter((name) => name !== "" && existsSync(join(root, name)));
const pages = tracked.filter((name) => name.endsWith(".md"));
const read = (name: string) => readFileSync(join(root, name), "utf8");
const prose = (name: string) => read(name).replace(/^```.*?^```$/gms, "");

/** The anchors of a page: its headings as a web page of Git hosts names them. */
function anchors(name: string): Set<string> {
	return new Set(
		[...prose(name).matchAll(/^#+ (.*)$/gm)].map((match) =>
			(match[1] ?? "")
				.toLowerCase()
				.replace(/[^\p{L}\p{N}\s_-]/gu, "")
				.trim()
				.replace(/\s/g, "-"),
		),
	);
}

/** Links of a page that lead nowhere in this repository. */
function broken(name: string): string[] {
	return [...prose(name).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
		if (/^[a-z]+:/.test(link)) return [];
		const [path = "", anchor] = link.split("#");
		const target = path === "" ? name : join(dirname(name), path);
		if (!existsSync(join(root, target))) return [link];
		return anchor === undefined || !target.endsWith(".md") || anchors(target).has(anchor) ? [] : [link];
	});
}

test("there are pages", () => {
	expect(pages.length).toBeGreaterThan(15);
});

test.each(pages)("%s: its links lead somewhere", (name) => {
	expect(broken(name)).toEqual([]);
});

test("every top-level folder has a README", () => {
	const folders = new Set(tracked.flatMap((name) => (/^[^./][^/]*\//.test(name) ? [name.split("/")[0] ?? ""] : [])));
	expect([...folders].filter((folder) => !existsSync(join(root, folder, "README.md")))).toEqual([]);
});

test("the index of docs lists every page", () => {
	const index = read("docs/README.md");
	const missing = pages.filter((name) => /^docs\/(?!README)/.test(name) && !index.includes(`(${name.slice(5)})`));
	expect(missing).toEqual([]);
});

describe("pages name what exists", () => {
	// Paths in code quotes or in a plain sentence that begin with one of our folders and end in a file.
	const path =
		/(?<![\w/.$<-])(?:firmware|native|hosts|manifests|renode-platforms|tools|test|docs)\/[\w./-]*\.\w+(?![\w*])/g;

	test.each(pages)("%s", (name) => {
		const base = name.startsWith("tools/templates/") ? undefined : root;
		if (base === undefined) return;
		const named = [...prose(name).matchAll(path)].map(([text]) => text.replace(/\.$/, ""));
		expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
	});
});

describe("what belongs elsewhere", () => {
	const unfinished = /\b(?:TODO|FIXME|XXX)\b/;

	test.each(pages)("%s", (name) => {
		expect(unfinished.exec(read(name))?.[0]).toBeUndefined();
	});
});
