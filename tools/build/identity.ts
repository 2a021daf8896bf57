// Who an image says it is: "defines.image" of the manifests, its board and the engine, as C for hosts/common/identity.h.

import { createHash } from "node:crypto";
import { BuildError } from "./errors.ts";
import type { Json, Manifest } from "./manifest.ts";

/** What pc_identity holds. */
export interface Identity {
	readonly app: string;
	readonly board: string;
	/** A semantic version (semver.org), at most 16 characters. */
	readonly version: string;
	/** The engine's version, such as "13.3.0". */
	readonly engine: string;
	/** 64 hex digits each. */
	readonly implementationId: string;
	readonly signerId: string;
	readonly debug: boolean;
}

/* The token has the version three times, and room for no more. */
const longestVersion = 16;
/* As many as the field of pc_identity_t holds, less a NUL. */
const longestBoard = 31;
const semanticVersion = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

/** The implementation ID of a board (RFC 9783, section 4.2.2): SHA-256 of "pericard:" and its name, in hex. */
export function implementationId(board: string): string {
	return createHash("sha256").update(`pericard:${board}`).digest("hex");
}

/** Reads "defines.image" of the manifests. Throws BuildError. */
export function readIdentity(
	manifest: Manifest,
	board: string,
	engine: readonly [number, number, number],
	debug: boolean,
): Identity {
	const file = manifest.files.at(-1) ?? manifest.dir;
	const image = manifest.defines.image;
	const text = (name: string): string => {
		const key = `defines.image.${name}`;
		const values = typeof image === "object" && image !== null && !Array.isArray(image) ? image : {};
		const value = (values as { readonly [key: string]: Json })[name];
		if (typeof value !== "string" || !value.startsWith("#")) {
			throw new BuildError('expected a string that begins with "#"', { file, key });
		}
		return value.slice(1);
	};
	const version = text("version");
	if (!semanticVersion.test(version) || version.length > longestVersion) {
		const why = `"${version}" is no version: expected major.minor.patch, at most ${longestVersion} characters`;
		throw new BuildError(why, { file, key: "defines.image.version" });
	}
	const signerId = text("signer");
	if (!/^[0-9a-f]{64}$/.test(signerId)) {
		throw new BuildError("expected the SHA-256 of the signer's public key: 64 hex digits in lower case", {
			file,
			key: "defines.image.signer",
		});
	}
	if (board.length > longestBoard) throw new BuildError(`the name of board ${board} is longer than ${longestBoard}`);
	return {
		app: manifest.name,
		board,
		version,
		engine: engine.join("."),
		implementationId: implementationId(board),
		signerId,
		debug,
	};
}

/** identity.c: the same for the device. */
export function identitySource(identity: Identity): string {
	const bytes = (hex: string): string => `{${(hex.match(/../g) ?? []).map((byte) => `0x${byte}`).join(", ")}}`;
	return `${[
		'/* Generated: "defines.image" of the manifests, the board and the engine. */',
		'#include "identity.h"',
		"",
		'const struct pc_identity_t pc_identity __attribute__((section(".configuration"))) = {',
		`\t.implementation_id = ${bytes(identity.implementationId)},`,
		`\t.signer_id = ${bytes(identity.signerId)},`,
		`\t.version = ${JSON.stringify(identity.version)},`,
		`\t.engine = ${JSON.stringify(identity.engine)},`,
		`\t.board = ${JSON.stringify(identity.board)},`,
		`\t.debug = ${identity.debug},`,
		"};",
	].join("\n")}\n`;
}

/** build.h: what C files must know of a build: whether it is one for debugging, whether code of it moves. */
export function buildHeader(debug: boolean, moves = false): string {
	return `/* Generated: the kind of build. */\n#pragma once\n\n#define PC_BUILD_DEBUG ${Number(debug)}\n#define PC_BUILD_MOVES ${Number(moves)}\n`;
}
