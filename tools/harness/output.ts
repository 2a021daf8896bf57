// What a port has sent: its text, and on the console's port the frames of the management link that stand between it.

import { LineSplitter } from "./framing.ts";

export class PortText {
	/** Everything so far but the frames. */
	text = "";
	/** The payloads of the valid frames so far. */
	readonly frames: Uint8Array[] = [];
	readonly #splitter: LineSplitter | undefined;
	#decoder = new TextDecoder();

	/** `framed`: the port carries frames as well. */
	constructor(framed: boolean) {
		this.#splitter = framed ? new LineSplitter() : undefined;
	}

	push(bytes: Uint8Array): void {
		if (this.#splitter === undefined) {
			this.text += this.#decoder.decode(bytes, { stream: true });
			return;
		}
		const { text, frames } = this.#splitter.push(bytes);
		this.text += this.#decoder.decode(text, { stream: true });
		this.frames.push(...frames);
	}

	/** The sender was cut off: what it had begun stays unfinished. */
	break(): void {
		this.text += this.#decoder.decode();
		this.#decoder = new TextDecoder();
		this.#splitter?.break();
	}
}
