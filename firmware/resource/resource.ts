// Moddable's module "Resource": the files that a manifest lists under "data", read where they lie in flash.

const openResource = native<(this: Resource, path: string) => void>("xs_resource_open");
const lengthOf = native<(this: Resource) => number>("xs_resource_length");
const copyOf = native<(this: Resource, begin: number, end: number) => ArrayBuffer>("xs_resource_slice");
const partOf = native<(this: Resource, whole: Resource, begin: number, end: number) => void>("xs_resource_part");
const existsAt = native<(path: string) => boolean>("xs_resource_exists");

/* What slice() without a copy makes: a resource that is a part of another one. */
let whole: { resource: Resource; begin: number; end: number } | undefined;

function place(index: number, length: number): number {
	const number = Math.trunc(index) || 0;
	return number < 0 ? Math.max(0, length + number) : Math.min(number, length);
}

/**
 * The bytes of a file, read-only and in flash: opening one takes no memory but for the object. `new Uint8Array(resource)`
 * is a view of them.
 */
class Resource extends (Native("xs_resource_destructor") as new () => HostBuffer) {
	/** @param path the file's name as the manifest gives it, with its ending. Throws an Error if there is none. */
	constructor(path: string) {
		super();
		if (whole === undefined) openResource.call(this, path);
		else partOf.call(this, whole.resource, whole.begin, whole.end);
	}

	/** In bytes. */
	// @ts-expect-error HostBuffer declares a property, but it is an accessor in every class of host buffers.
	get byteLength(): number {
		return lengthOf.call(this);
	}

	/**
	 * Bytes [begin, end), counted from the end where negative, as ArrayBuffer.prototype.slice() does: a copy in RAM, or
	 * with `copy` false a resource that is this part.
	 */
	slice(begin: number, end?: number): ArrayBuffer;
	slice(begin: number, end: number | undefined, copy: true): ArrayBuffer;
	slice(begin: number, end: number | undefined, copy: false): Resource;
	slice(begin: number, end = this.byteLength, copy = true): ArrayBuffer | Resource {
		const length = this.byteLength;
		const first = place(begin, length);
		const last = Math.max(first, place(end, length));
		if (copy) return copyOf.call(this, first, last);
		whole = { resource: this, begin: first, end: last };
		try {
			return new Resource("");
		} finally {
			whole = undefined;
		}
	}

	/** Whether the image has such a file. */
	static exists(path: string): boolean {
		return existsAt(path);
	}
}

export default Resource;
