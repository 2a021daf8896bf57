// How TypeScript names a function of the firmware image that is written in C.
//
// Both forms are XS 17's. The tool-chain turns a call with a literal name into a host function when it compiles the
// module, and refuses a name that no C file of the build defines; nothing is looked up on the device.

/**
 * The host function `name` (`void name(xsMachine *the)` in C). Give it its type where it is bound:
 *
 *     const crc16: (data: Uint8Array, initial?: number) => number = native("xs_crc16");
 *
 * A method hands `this` on: `read(): number { return native<(this: Port) => number>("xs_port_read").call(this); }`
 */
declare function native<F extends (this: never, ...args: never[]) => unknown>(name: string): F;

/**
 * The base class of objects whose state lives in C: `name` is their destructor (`void name(void *data)`), which XS calls
 * when such an object is collected.
 *
 *     class Port extends Native("xs_port_destructor") { ... }
 */
declare function Native(name: string): new () => object;
