// pericard/report: what an application tells a machine that listens: one RFC 7464 JSON text record on the console each.

const write: (text: string) => void = native("xs_report_write");

/** Reports `data` (anything JSON.stringify takes) under a name of the application's own. */
export function report(type: string, data: unknown): void {
	write(`{"event":"report","type":${JSON.stringify(type)},"data":${JSON.stringify(data) ?? "null"}}`);
}

/** Writes a record of the firmware's own kind; `event` as in docs/testing.md. */
export function record(event: string, fields: Readonly<Record<string, unknown>>): void {
	write(JSON.stringify({ event, ...fields }));
}
