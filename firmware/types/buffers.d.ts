// Views of host buffers: memory that JavaScript did not allocate, such as a resource in flash.

interface Uint8ArrayConstructor {
	new (buffer: HostBuffer, byteOffset?: number, length?: number): Uint8Array<ArrayBuffer>;
}

interface DataViewConstructor {
	new (buffer: HostBuffer, byteOffset?: number, byteLength?: number): DataView<ArrayBuffer>;
}
