// Reference values: what a device that runs an image unchanged measures, computed out of the ELF file.

/** The components of an image, in canonical order (docs/measurement.md). */
export const componentTypes = ["native", "engine", "archive", "configuration"] as const;
export type ComponentType = (typeof componentTypes)[number];

/** One region: its name (at most 64 bytes of UTF-8) and its SHA-256, 64 hex digits in lower case. */
export interface ReferenceEntry {
	readonly name: string;
	readonly value: string;
}

/** One component of the token. */
export interface ReferenceComponent {
	readonly type: ComponentType;
	/** The engine's version, or the image's. */
	readonly version: string;
	/** SHA-256, hex, over the deterministic CBOR array of [name, digest] of `entries`. */
	readonly value: string;
	/** In canonical order. */
	readonly entries: readonly ReferenceEntry[];
}

/** `<name>.reference.json`: all that a verifier compares evidence with. */
export interface Reference {
	readonly format: 1;
	readonly app: string;
	readonly board: string;
	/** The image's version: "version" of the manifests' defines.image. */
	readonly version: string;
	/** The engine's version, such as "13.3.0". */
	readonly engine: string;
	readonly debug: boolean;
	/** Of a device that runs this image with its debug port as the image sets it. */
	readonly lifecycle: "secured" | "non-psa-rot-debug";
	/** 64 hex digits each. */
	readonly implementationId: string;
	readonly signerId: string;
	/** Four, in the order of `componentTypes`. */
	readonly components: readonly ReferenceComponent[];
}
